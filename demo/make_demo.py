#!/usr/bin/env python3
"""Writes gtfs/: a made-up railway on real station names, the same bytes at every run.

Every train, number, brand and minute here is invented. Positions are rounded to about a kilometre.
Format: https://gtfs.org/documentation/schedule/reference/
"""

import csv
import datetime as dt
import pathlib

OUT = pathlib.Path(__file__).resolve().parent / "gtfs"
FIRST_DAY, LAST_DAY = dt.date(2024, 1, 1), dt.date(2035, 12, 31)
VERSION = "2026-11-01"  # the date that answers show; change it when its trains change

# id, name, latitude, longitude, platforms (0: a lone stop without a parent station)
STATIONS = """
PMP|Paris Montparnasse|48.84|2.32|8
PLY|Paris Gare de Lyon|48.84|2.37|8
PNO|Paris Nord|48.88|2.36|8
PES|Paris Est|48.88|2.36|6
PAZ|Paris Austerlitz|48.84|2.37|4
PSL|Paris Saint-Lazare|48.88|2.32|6
SDN|Saint-Denis|48.93|2.35|2
LMS|Le Mans|47.99|0.19|4
LAV|Laval|48.08|-0.76|3
VTR|Vitré|48.12|-1.21|2
RNS|Rennes|48.10|-1.67|8
DOL|Dol-de-Bretagne|48.55|-1.75|2
SML|Saint-Malo|48.65|-2.00|3
LMB|Lamballe|48.47|-2.51|2
SBR|Saint-Brieuc|48.51|-2.77|3
GGP|Guingamp|48.56|-3.15|2
PLT|Plouaret-Trégor|48.61|-3.47|0
MLX|Morlaix|48.58|-3.83|2
LDV|Landerneau|48.45|-4.26|2
BST|Brest|48.39|-4.48|4
RDN|Redon|47.65|-2.09|3
VNS|Vannes|47.67|-2.75|3
AUR|Auray|47.68|-3.00|2
LRT|Lorient|47.76|-3.37|3
QPL|Quimperlé|47.87|-3.55|0
QPR|Quimper|47.99|-4.09|3
SBS|Sablé-sur-Sarthe|47.84|-0.34|0
ANG|Angers Saint-Laud|47.46|-0.56|4
ANC|Ancenis|47.37|-1.18|0
NTS|Nantes|47.22|-1.54|8
SVN|Savenay|47.37|-1.94|0
SNZ|Saint-Nazaire|47.29|-2.21|2
LRY|La Roche-sur-Yon|46.67|-1.44|2
LRO|La Rochelle|46.15|-1.15|3
SAU|Saumur|47.27|-0.07|0
TRS|Tours|47.39|0.69|4
SPC|Saint-Pierre-des-Corps|47.39|0.72|4
BLS|Blois|47.59|1.32|2
ORL|Orléans|47.91|1.90|4
POI|Poitiers|46.58|0.33|3
AGM|Angoulême|45.65|0.16|3
BDX|Bordeaux Saint-Jean|44.83|-0.56|8
CAE|Caen|49.18|-0.35|4
LIS|Lisieux|49.14|0.22|0
ROU|Rouen|49.45|1.09|4
LHV|Le Havre|49.49|0.12|3
LLF|Lille Flandres|50.64|3.07|6
LLE|Lille Europe|50.64|3.08|4
ARR|Arras|50.29|2.78|4
ALB|Albert|50.00|2.65|0
AMI|Amiens|49.89|2.31|4
RMS|Reims|49.26|4.02|3
STG|Strasbourg|48.58|7.73|6
MTZ|Metz|49.11|6.18|4
NCY|Nancy|48.69|6.17|4
MLH|Mulhouse|47.74|7.34|4
BES|Besançon Viotte|47.25|6.02|3
DIJ|Dijon|47.32|5.03|6
MCN|Mâcon|46.30|4.83|2
LPD|Lyon Part-Dieu|45.76|4.86|8
LPR|Lyon Perrache|45.75|4.83|6
VIE|Vienne|45.52|4.87|0
VAL|Valence|44.93|4.89|4
STE|Saint-Étienne Châteaucreux|45.44|4.40|4
GRE|Grenoble|45.19|5.71|4
CHY|Chambéry|45.57|5.92|3
AIX|Aix-les-Bains|45.69|5.91|2
ANN|Annecy|45.90|6.12|3
AVC|Avignon Centre|43.94|4.81|3
AVT|Avignon TGV|43.92|4.79|4
AXT|Aix-en-Provence TGV|43.46|5.32|4
MRS|Marseille Saint-Charles|43.30|5.38|8
TLN|Toulon|43.13|5.93|3
CNS|Cannes|43.55|7.02|2
NCE|Nice|43.70|7.26|4
NIM|Nîmes|43.83|4.37|3
MPL|Montpellier|43.60|3.88|4
"""

# brand | line name | stops as id+minutes from the first departure | first, last departure | minutes between |
# extra minutes between on weekday peaks (0: none). A last departure may lie beyond 24:00.
LINES = """
Alizé|Paris - Bretagne Nord|PMP0 RNS90 SBR140 GGP158 MLX185 BST215|6:10|20:10|120|0
Alizé|Paris - Bretagne Sud|PMP0 RNS90 RDN128 VNS153 AUR166 LRT186 QPR225|6:40|20:40|120|0
Alizé|Paris - Saint-Malo|PMP0 RNS92 DOL126 SML143|7:25|19:25|180|0
Alizé|Paris - Maine - Rennes|PMP0 LMS57 LAV98 VTR118 RNS139|5:55|21:55|120|0
Alizé|Paris - Nantes - Océan|PMP0 LMS57 ANG97 NTS136 SNZ172|6:00|21:00|60|0
Alizé|Paris - Bordeaux|PMP0 SPC66 POI106 AGM146 BDX186|6:30|20:30|60|0
Alizé|Paris - La Rochelle|PMP0 POI86 LRO168|7:50|19:50|180|0
Alizé|Paris - Tours|PMP0 SPC64 TRS72|6:20|20:20|120|0
Alizé|Paris - Lyon|PLY0 LPD118 LPR131|6:00|22:00|60|120
Alizé|Paris - Marseille|PLY0 VAL132 AVT162 AXT185 MRS199|6:15|20:15|60|0
Alizé|Paris - Nice|PLY0 MRS191 TLN238 CNS318 NCE346|7:35|17:35|150|0
Alizé|Paris - Montpellier|PLY0 VAL134 NIM174 MPL202|6:45|20:45|120|0
Alizé|Paris - Dijon - Besançon|PLY0 DIJ97 BES153|6:25|20:25|120|0
Alizé|Paris - Saint-Étienne|PLY0 LPD119 STE168|7:20|19:20|180|0
Alizé|Paris - Grenoble|PLY0 LPD120 GRE186|6:50|18:50|180|0
Alizé|Paris - Alpes|PLY0 CHY174 AIX187 ANN223|7:10|19:10|180|0
Alizé|Paris - Lille|PNO0 ARR51 LLF78|6:05|22:05|60|0
Alizé|Paris - Lille Europe|PNO0 LLE60|6:35|20:35|120|0
Alizé|Paris - Reims|PES0 RMS46|6:28|20:28|120|0
Alizé|Paris - Strasbourg|PES0 STG108|6:20|20:20|60|0
Alizé|Paris - Metz|PES0 MTZ84|6:40|20:40|120|0
Alizé|Paris - Nancy|PES0 NCY92|7:12|21:12|120|0
Alizé|Alsace - Méditerranée|STG0 MLH52 BES103 DIJ132 LPD233 VAL300 AVT334 MRS368|6:32|16:32|120|0
Alizé|Nord - Sud|LLE0 LPD182 AVT252 MRS287|7:02|17:02|300|0
Littoral|Laval - Rennes|LAV0 VTR19 RNS42|4:46|24:16|30|60
Littoral|Laval - Le Mans|LAV0 LMS48|5:30|21:30|60|0
Littoral|Rennes - Saint-Malo|RNS0 DOL36 SML53|5:40|23:40|60|0
Littoral|Rennes - Brest|RNS0 LMB44 SBR57 GGP78 PLT94 MLX113 LDV140 BST153|5:20|20:20|60|0
Littoral|Rennes - Quimper|RNS0 RDN39 VNS74 AUR88 LRT110 QPL124 QPR152|5:50|20:50|60|0
Littoral|Nantes - Redon - Vannes|NTS0 SVN24 RDN51 VNS83|6:12|20:12|120|0
Littoral|Nantes - Saint-Nazaire|NTS0 SVN23 SNZ41|5:25|23:55|30|0
Littoral|Nantes - Angers - Le Mans|NTS0 ANC20 ANG42 SBS72 LMS97|5:35|21:35|60|0
Littoral|Nantes - La Rochelle|NTS0 LRY45 LRO112|6:25|18:25|180|0
Littoral|Angers - Tours - Orléans|ANG0 SAU23 SPC58 BLS92 ORL120|6:08|20:08|120|0
Littoral|Le Mans - Tours|LMS0 TRS61|6:15|20:15|120|0
Littoral|Orléans - Paris|ORL0 PAZ67|5:15|22:15|60|120
Littoral|Tours - Poitiers - Angoulême|TRS0 SPC6 POI62 AGM122|6:55|18:55|180|0
Littoral|Angoulême - Bordeaux|AGM0 BDX58|6:02|21:02|60|0
Littoral|Caen - Paris|CAE0 LIS27 PSL128|5:45|21:45|60|0
Littoral|Le Havre - Paris|LHV0 ROU54 PSL138|5:20|21:20|60|0
Littoral|Rouen - Amiens|ROU0 AMI75|6:44|20:44|120|0
Littoral|Paris - Amiens|PNO0 AMI72|5:50|22:50|60|0
Littoral|Amiens - Lille|AMI0 ALB22 ARR48 LLF92|5:38|21:38|60|0
Littoral|Reims - Metz|RMS0 MTZ118|6:50|18:50|180|0
Littoral|Metz - Nancy|MTZ0 NCY39|5:24|22:54|30|0
Littoral|Metz - Strasbourg|MTZ0 STG84|6:18|20:18|120|0
Littoral|Nancy - Strasbourg|NCY0 STG88|6:04|20:04|120|0
Littoral|Strasbourg - Mulhouse|STG0 MLH54|5:36|22:36|60|0
Littoral|Mulhouse - Besançon - Dijon|MLH0 BES75 DIJ135|6:22|18:22|120|0
Littoral|Dijon - Lyon|DIJ0 MCN67 LPD112|5:42|20:42|60|0
Littoral|Lyon - Vienne - Valence|LPR0 LPD10 VIE30 VAL74|5:18|22:18|60|0
Littoral|Lyon - Saint-Étienne|LPD0 STE49|5:24|23:54|30|0
Littoral|Lyon - Grenoble|LPD0 GRE84|5:44|22:44|60|0
Littoral|Lyon - Chambéry - Annecy|LPD0 AIX72 CHY84 ANN130|6:36|20:36|120|0
Littoral|Grenoble - Chambéry - Annecy|GRE0 CHY48 AIX60 ANN98|5:56|20:56|60|0
Littoral|Valence - Avignon - Marseille|VAL0 AVC70 MRS138|6:10|20:10|120|0
Littoral|Avignon - Nîmes - Montpellier|AVC0 NIM36 MPL66|6:00|21:00|60|0
Littoral|Marseille - Toulon|MRS0 TLN62|5:22|22:52|30|0
Littoral|Marseille - Nice|MRS0 TLN48 CNS126 NCE158|6:31|20:31|120|0
Littoral|Cannes - Nice|CNS0 NCE38|5:32|23:32|30|0
Navette|Paris - Saint-Denis|PNO0 SDN6|5:00|24:45|15|0
Navette|Tours - Saint-Pierre-des-Corps|TRS0 SPC5|5:10|24:10|30|0
Navette|Lyon Part-Dieu - Perrache|LPD0 LPR9|5:05|24:35|30|0
Navette|Avignon Centre - TGV|AVC0 AVT6|5:35|23:05|30|0
Navette|Lille Flandres - Europe|LLF0 LLE3|5:15|23:45|30|0
"""

# Stations of one city between which one can change trains, in minutes: out of the one, by metro or on foot, into the other, with luggage
# and without knowing the way. Both directions. By judgement, from the distances and the metro lines there are.
TRANSFERS = """
PMP PLY 40|PMP PNO 40|PMP PES 40|PMP PAZ 35|PMP PSL 35
PLY PNO 35|PLY PES 40|PLY PAZ 20|PLY PSL 35
PNO PES 15|PNO PAZ 40|PNO PSL 30
PES PAZ 40|PES PSL 35
PAZ PSL 40
LLF LLE 15
LPD LPR 35
"""

BRANDS = {"Alizé": ("ALZ", 8001), "Littoral": ("LIT", 850001), "Navette": ("NAV", 130001)}
HOLIDAYS = [(1, 1), (5, 1), (5, 8), (7, 14), (8, 15), (11, 1), (11, 11), (12, 25)]


def minutes(text):
    hours, mins = text.split(":")
    return int(hours) * 60 + int(mins)


def clock(total):
    return f"{total // 60:02d}:{total % 60:02d}:00"


def write(name, header, rows):
    with open(OUT / name, "w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(header)
        writer.writerows(rows)


def stations():
    rows, platforms = [], {}
    for line in STATIONS.strip().splitlines():
        ident, name, lat, lon, count = line.split("|")
        platforms[ident] = (name, int(count))
        if count == "0":
            rows.append([ident, name, lat, lon, "0", "", ""])
            continue
        rows.append([ident, name, lat, lon, "1", "", ""])
        for code in range(1, int(count) + 1):
            rows.append([f"{ident}-{code}", name, lat, lon, "0", ident, str(code)])
    return rows, platforms


def departures(first, last, every, peak, back):
    """(minute, service) pairs. Each fourth daytime train of a frequent line stays in the shed at weekends."""
    shift = every // 2 if back and every >= 60 else 0
    found = []
    for rank, minute in enumerate(range(first, last + 1, every)):
        quiet = every <= 30 and rank % 4 == 3 and 7 * 60 < minute < 21 * 60
        found.append((minute + shift, "WEEKDAY" if quiet else "DAILY"))
    if peak:
        for start, end in ((7 * 60, 9 * 60 + 1), (16 * 60 + 30, 19 * 60 + 1)):
            for minute in range(start, end, peak):
                found.append((minute + 11, "WEEKDAY"))
    else:
        found.append((minutes("14:03") + shift, "WEEKEND"))
    return sorted(set(found))


def trains(platforms):
    routes, trips, times = [], [], []
    numbers = {brand: first for brand, (_, first) in BRANDS.items()}
    for rank, line in enumerate(LINES.strip().splitlines()):
        brand, name, calls, first, last, every, peak = line.split("|")
        route = f"R{rank + 1:02d}"
        routes.append([route, BRANDS[brand][0], brand, name, "2"])
        out = [(call[:3], int(call[3:])) for call in calls.split()]
        total = out[-1][1]
        for back, pattern in enumerate((out, [(stop, total - at) for stop, at in reversed(out)])):
            runs = departures(minutes(first), minutes(last), int(every), int(peak), back)
            for start, service in runs:
                number = numbers[brand]
                numbers[brand] += 1
                trip = f"{BRANDS[brand][0]}{number}"
                terminus = platforms[pattern[-1][0]][0]
                trips.append([route, service, trip, terminus, str(number), str(back)])
                times.extend(stop_times(trip, start, pattern, platforms, rank + back))
    return routes, trips, times


def stop_times(trip, start, pattern, platforms, seed):
    rows = []
    end = len(pattern) - 1
    for seq, (stop, at) in enumerate(pattern):
        count = platforms[stop][1]
        where = f"{stop}-{1 + (seed * 3 + seq) % count}" if count else stop
        dwell = 0 if seq in (0, end) else 2
        rows.append([
            trip, clock(start + at - (dwell if seq else 0)), clock(start + at), where, str(seq + 1),
            "1" if seq == end else "0", "1" if seq == 0 else "0",
        ])
    return rows


def exceptions():
    """On a holiday that falls on a weekday, trains run as on a Sunday."""
    rows = []
    for year in range(FIRST_DAY.year, LAST_DAY.year + 1):
        for month, day in HOLIDAYS:
            date = dt.date(year, month, day)
            if date.weekday() < 5:
                rows.append(["WEEKDAY", f"{date:%Y%m%d}", "2"])
                rows.append(["WEEKEND", f"{date:%Y%m%d}", "1"])
    return rows


def transfers():
    """Type 2: at least that long, in seconds."""
    rows = []
    for pair in TRANSFERS.replace("\n", "|").strip("|").split("|"):
        one, other, mins = pair.split()
        rows += [[one, other, "2", str(int(mins) * 60)], [other, one, "2", str(int(mins) * 60)]]
    return rows


def main():
    OUT.mkdir(exist_ok=True)
    span = [f"{FIRST_DAY:%Y%m%d}", f"{LAST_DAY:%Y%m%d}"]
    site = "https://demo.invalid"
    write("feed_info.txt",
          ["feed_publisher_name", "feed_publisher_url", "feed_lang", "feed_start_date", "feed_end_date", "feed_version"],
          [["Guichet demo (invented)", site, "fr", *span, VERSION]])
    write("agency.txt", ["agency_id", "agency_name", "agency_url", "agency_timezone", "agency_lang"],
          [[code, brand, site, "Europe/Paris", "fr"] for brand, (code, _) in BRANDS.items()])
    week = ["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"]
    write("calendar.txt", ["service_id", *week, "start_date", "end_date"], [
        ["DAILY", *"1111111", *span], ["WEEKDAY", *"1111100", *span], ["WEEKEND", *"0000011", *span]])
    write("calendar_dates.txt", ["service_id", "date", "exception_type"], exceptions())
    stop_rows, platforms = stations()
    write("stops.txt",
          ["stop_id", "stop_name", "stop_lat", "stop_lon", "location_type", "parent_station", "platform_code"], stop_rows)
    write("transfers.txt", ["from_stop_id", "to_stop_id", "transfer_type", "min_transfer_time"], transfers())
    routes, trips, times = trains(platforms)
    write("routes.txt", ["route_id", "agency_id", "route_short_name", "route_long_name", "route_type"], routes)
    write("trips.txt",
          ["route_id", "service_id", "trip_id", "trip_headsign", "trip_short_name", "direction_id"], trips)
    write("stop_times.txt",
          ["trip_id", "arrival_time", "departure_time", "stop_id", "stop_sequence", "pickup_type", "drop_off_type"], times)


if __name__ == "__main__":
    main()
