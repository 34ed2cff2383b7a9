//! How benchmarks tell their figures: a table for people, JSON with `--json`.

/// What, its value, what stands beside it (a bar, a peer).
pub type Row = (String, String, String);

pub fn print(rows: &[Row]) {
    if std::env::args().any(|argument| argument == "--json") {
        let rows: Vec<_> = rows
            .iter()
            .map(|(what, value, beside)| serde_json::json!({"what": what, "value": value, "beside": beside}))
            .collect();
        println!("{}", serde_json::Value::Array(rows));
        return;
    }
    let mut table = comfy_table::Table::new();
    table.set_header(["what", "value", "beside"]);
    rows.iter().for_each(|(what, value, beside)| {
        table.add_row([what, value, beside]);
    });
    println!("{table}");
}
