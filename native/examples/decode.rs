//! Decodes a file several times, to be run in a profiler: `decode PLAN.json FILE TIMES`.
//!
//! To get the plan, call `wsparquet.decode.native.plan_json(wsparquet.decode.plan.compiled())` in Python.

use std::sync::Arc;
use std::time::Instant;

use _native::decode::plan::Plan;
use _native::decode::sink::{Failure, Limits};
use _native::decode::splitter::Splitter;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let arguments: Vec<String> = std::env::args().collect();
    let [_, plan, file, times] = arguments.as_slice() else { return Err("expected PLAN.json FILE TIMES".into()) };
    let plan = Arc::new(Plan::read(&std::fs::read_to_string(plan)?)?);
    let data = std::fs::read(file)?;
    let limits = Limits {
        max_record: 64 << 20,
        max_line: 256 << 20,
        max_held: 256 << 20,
        max_container_values: 16 << 20,
        batch_bytes: 1 << 20,
    };
    for _ in 0..times.parse()? {
        let started = Instant::now();
        let mut splitter = Splitter::new(Arc::clone(&plan), "example", limits.clone());
        for chunk in data.chunks(1 << 20) {
            splitter.feed(chunk).map_err(|Failure(message)| message)?;
            splitter.sink.batches.clear();
        }
        splitter.finish().map_err(|Failure(message)| message)?;
        println!("{:.0} MB/s", data.len() as f64 / 1e6 / started.elapsed().as_secs_f64());
    }
    Ok(())
}
