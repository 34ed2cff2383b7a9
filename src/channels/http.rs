use super::*;
pub fn build(_: &str, _: &ChannelSettings, _: &BuildContext) -> Result<Arc<dyn Channel>, String> {
    Err("todo".into())
}
