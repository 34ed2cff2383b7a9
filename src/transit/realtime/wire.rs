//! The bytes: the outer message is walked by hand, so that one malformed entity does not cost the others; inside an entity
//! `prost` reads. Field numbers are those of `gtfs-realtime.proto`; fields that nothing here uses are left out.
//! Texts are bytes: `prost` would refuse a whole entity for one letter that is no UTF-8.

/// One field of the outer message.
#[derive(Debug, PartialEq)]
pub(super) struct Field<'a> {
    pub number: u64,
    /// None: a number, which nothing in the outer message uses.
    pub bytes: Option<&'a [u8]>,
}

/// The fields of a message, in order. Ends with an error where the bytes are none.
pub(super) struct Fields<'a>(&'a [u8]);

/// The bytes are no protobuf message; what follows cannot be told apart any more.
#[derive(Debug, PartialEq)]
pub(super) struct Malformed;

impl<'a> Fields<'a> {
    pub(super) fn of(bytes: &'a [u8]) -> Self {
        Self(bytes)
    }

    /// Protobuf's base-128 varint: seven bits a byte, least significant first, ten bytes at most.
    fn varint(&mut self) -> Result<u64, Malformed> {
        let mut value = 0;
        for shift in (0..70).step_by(7) {
            let (&byte, rest) = self.0.split_first().ok_or(Malformed)?;
            self.0 = rest;
            value |= u64::from(byte & 0x7f).checked_shl(shift).unwrap_or(0);
            if byte & 0x80 == 0 {
                return Ok(value);
            }
        }
        Err(Malformed)
    }

    fn take(&mut self, length: u64) -> Result<&'a [u8], Malformed> {
        let length = usize::try_from(length).map_err(|_| Malformed)?;
        let (taken, rest) = self.0.split_at_checked(length).ok_or(Malformed)?;
        self.0 = rest;
        Ok(taken)
    }

    fn field(&mut self) -> Result<Field<'a>, Malformed> {
        let key = self.varint()?;
        let number = key >> 3;
        if number == 0 {
            return Err(Malformed);
        }
        let bytes = match key & 7 {
            0 => self.varint().map(|_| None)?,
            1 => self.take(8).map(|_| None)?,
            2 => {
                let length = self.varint()?;
                Some(self.take(length)?)
            }
            5 => self.take(4).map(|_| None)?,
            // Groups, which the format never had.
            _ => return Err(Malformed),
        };
        Ok(Field { number, bytes })
    }
}

impl<'a> Iterator for Fields<'a> {
    type Item = Result<Field<'a>, Malformed>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.0.is_empty() {
            return None;
        }
        let field = self.field();
        if field.is_err() {
            self.0 = &[];
        }
        Some(field)
    }
}

#[derive(Clone, PartialEq, ::prost::Message)]
pub(super) struct FeedHeader {
    #[prost(int32, optional, tag = "2")]
    pub incrementality: Option<i32>,
    #[prost(uint64, optional, tag = "3")]
    pub timestamp: Option<u64>,
}

#[derive(Clone, PartialEq, ::prost::Message)]
pub(super) struct FeedEntity {
    #[prost(bytes = "vec", optional, tag = "1")]
    pub id: Option<Vec<u8>>,
    #[prost(bool, optional, tag = "2")]
    pub is_deleted: Option<bool>,
    #[prost(message, optional, tag = "3")]
    pub trip_update: Option<TripUpdate>,
    #[prost(message, optional, tag = "5")]
    pub alert: Option<Alert>,
}

#[derive(Clone, PartialEq, ::prost::Message)]
pub(super) struct TripUpdate {
    #[prost(message, optional, tag = "1")]
    pub trip: Option<TripDescriptor>,
    #[prost(message, repeated, tag = "2")]
    pub stop_time_update: Vec<StopTimeUpdate>,
    #[prost(uint64, optional, tag = "4")]
    pub timestamp: Option<u64>,
    #[prost(int32, optional, tag = "5")]
    pub delay: Option<i32>,
    #[prost(message, optional, tag = "6")]
    pub trip_properties: Option<TripProperties>,
}

#[derive(Clone, PartialEq, ::prost::Message)]
pub(super) struct TripDescriptor {
    #[prost(bytes = "vec", optional, tag = "1")]
    pub trip_id: Option<Vec<u8>>,
    #[prost(bytes = "vec", optional, tag = "2")]
    pub start_time: Option<Vec<u8>>,
    #[prost(bytes = "vec", optional, tag = "3")]
    pub start_date: Option<Vec<u8>>,
    #[prost(int32, optional, tag = "4")]
    pub schedule_relationship: Option<i32>,
    #[prost(bytes = "vec", optional, tag = "5")]
    pub route_id: Option<Vec<u8>>,
}

#[derive(Clone, PartialEq, ::prost::Message)]
pub(super) struct TripProperties {
    #[prost(bytes = "vec", optional, tag = "1")]
    pub trip_id: Option<Vec<u8>>,
    #[prost(bytes = "vec", optional, tag = "2")]
    pub start_date: Option<Vec<u8>>,
}

#[derive(Clone, PartialEq, ::prost::Message)]
pub(super) struct StopTimeUpdate {
    #[prost(uint32, optional, tag = "1")]
    pub stop_sequence: Option<u32>,
    #[prost(message, optional, tag = "2")]
    pub arrival: Option<StopTimeEvent>,
    #[prost(message, optional, tag = "3")]
    pub departure: Option<StopTimeEvent>,
    #[prost(bytes = "vec", optional, tag = "4")]
    pub stop_id: Option<Vec<u8>>,
    #[prost(int32, optional, tag = "5")]
    pub schedule_relationship: Option<i32>,
    #[prost(message, optional, tag = "6")]
    pub stop_time_properties: Option<StopTimeProperties>,
}

#[derive(Clone, PartialEq, ::prost::Message)]
pub(super) struct StopTimeEvent {
    #[prost(int32, optional, tag = "1")]
    pub delay: Option<i32>,
    #[prost(int64, optional, tag = "2")]
    pub time: Option<i64>,
}

#[derive(Clone, PartialEq, ::prost::Message)]
pub(super) struct StopTimeProperties {
    #[prost(bytes = "vec", optional, tag = "1")]
    pub assigned_stop_id: Option<Vec<u8>>,
}

#[derive(Clone, PartialEq, ::prost::Message)]
pub(super) struct Alert {
    #[prost(message, repeated, tag = "1")]
    pub active_period: Vec<TimeRange>,
    #[prost(message, repeated, tag = "5")]
    pub informed_entity: Vec<EntitySelector>,
    #[prost(int32, optional, tag = "6")]
    pub cause: Option<i32>,
    #[prost(int32, optional, tag = "7")]
    pub effect: Option<i32>,
    #[prost(message, optional, tag = "10")]
    pub header_text: Option<TranslatedString>,
    #[prost(message, optional, tag = "11")]
    pub description_text: Option<TranslatedString>,
}

#[derive(Clone, PartialEq, ::prost::Message)]
pub(super) struct TimeRange {
    #[prost(uint64, optional, tag = "1")]
    pub start: Option<u64>,
    #[prost(uint64, optional, tag = "2")]
    pub end: Option<u64>,
}

#[derive(Clone, PartialEq, ::prost::Message)]
pub(super) struct EntitySelector {
    #[prost(bytes = "vec", optional, tag = "1")]
    pub agency_id: Option<Vec<u8>>,
    #[prost(bytes = "vec", optional, tag = "2")]
    pub route_id: Option<Vec<u8>>,
    #[prost(int32, optional, tag = "3")]
    pub route_type: Option<i32>,
    #[prost(message, optional, tag = "4")]
    pub trip: Option<TripDescriptor>,
    #[prost(bytes = "vec", optional, tag = "5")]
    pub stop_id: Option<Vec<u8>>,
}

#[derive(Clone, PartialEq, ::prost::Message)]
pub(super) struct TranslatedString {
    #[prost(message, repeated, tag = "1")]
    pub translation: Vec<Translation>,
}

#[derive(Clone, PartialEq, ::prost::Message)]
pub(super) struct Translation {
    #[prost(bytes = "vec", optional, tag = "1")]
    pub text: Option<Vec<u8>>,
    #[prost(bytes = "vec", optional, tag = "2")]
    pub language: Option<Vec<u8>>,
}
