//! Tests that no input makes the decoder panic, miscount, build an invalid array, or return different results for
//! different chunk sizes.
//!
//! Texts consist of fragments of containers, so that many of them are almost valid. `PROPTEST_CASES` sets the number of
//! texts. Texts that failed are stored in `proptest-regressions/` and run first.

use std::sync::Arc;

use _native::decode::plan::Plan;
use _native::decode::sink::{Failure, Limits};
use _native::decode::splitter::Splitter;
use arrow_data::ArrayData;
use proptest::prelude::*;

const FRAGMENTS: &[&str] = &[
    "{\"recordCollection\":[",
    "\n{\"metaData\":{\"accountId\":{\"string\":\"1\"},\"startTime\":{\"long\":1467291704468}},",
    "\"recordCollection\":{\"array\":[",
    "]}",
    "]}}\n",
    "{\"body\":{\"x.WebSessionGeoData\":{",
    "\"header\":{\"x.Header\":{",
    "\"visitId\":{\"string\":\"",
    "\"visitId\":\"a\"}}",
    "\"geo\":{\"x.Location\":{",
    "\"city\":{\"string\":\"b\"}",
    "\"size\":{\"int\":7}",
    "\"size\":null",
    "}}}}}}",
    "}}}},",
    "}}",
    "}",
    "{",
    "[",
    "]",
    ",",
    ", ",
    ":",
    "\"",
    "\\",
    "\\u00e9",
    "\\ud800",
    "null",
    "true",
    "NaN",
    "-Infinity",
    "-",
    "1e2",
    "1.50",
    "0",
    "12345678901234567890",
    "1467291704468",
    "\"2016-06-30T12:34:56Z\"",
    "{\"body\":{\"x.Navigation\":{\"header\":{\"x.Header\":{\"visitId\":{\"string\":\"v\"}}},\"pages\":{\"array\":[",
    "{\"id\":{\"long\":5},\"ok\":{\"boolean\":true},\"price\":{\"double\":1.5},\"at\":{\"long\":1467291704468},",
    "\"sections\":{\"array\":[\"a\",\"b\"]},",
    "\"sections\":\"one\",",
    "\"inner\":{\"x.Inner\":{\"sku\":{\"string\":\"s\"}}},",
    "\"sku\":\"t\",",
    "\"data\":{\"x.Lead\":{\"topic\":{\"string\":\"t\"}}}}",
    "\"data\":{\"x.Cart\":{\"total\":{\"double\":2}}}},",
    "\"data\":{\"total\":1}}",
    "\"data\":{\"x.Other\":{\"q\":[1]}}}",
    "\"id\":1,",
    "\"unknown\":{\"a\":[1,{\"b\":2}]},",
    "]}}}}",
    "]}}}},",
    "\"dataType\":\"WebSession\",",
    "\n",
    "\n{\"dataType\" :",
    "\n{",
    " ",
    "\r\n\t",
    "garbage",
    "é",
    "\u{feff}",
];

fn plan() -> Arc<Plan> {
    Arc::new(Plan::read(include_str!("plan.json")).expect("the plan of the tests can be read"))
}

/// Generates a text that consists of fragments, repeated fragments, and a few arbitrary bytes.
fn text() -> impl Strategy<Value = Vec<u8>> {
    let fragment = proptest::sample::select(FRAGMENTS).prop_map(|fragment| fragment.as_bytes().to_vec());
    let repeated = proptest::sample::select(FRAGMENTS).prop_map(|fragment| fragment.as_bytes().repeat(150));
    let bytes = proptest::collection::vec(any::<u8>(), 0..4);
    let piece = prop_oneof![60 => fragment, 1 => repeated, 2 => bytes];
    proptest::collection::vec(piece, 0..40).prop_map(|pieces| pieces.concat())
}

/// The result of decoding a source: the number of rows, counts, ranges of quarantined bytes, and batches.
#[derive(Debug, PartialEq)]
struct Outcome {
    rows: i64,
    counts: [i64; 4],
    quarantined: Vec<(usize, usize)>,
    batches: Vec<(usize, Option<i32>, ArrayData)>,
}

fn decode(pieces: &[&[u8]], batch_bytes: usize) -> Result<Outcome, String> {
    let limits = Limits {
        max_record: 1 << 20,
        max_line: 1 << 24,
        max_held: 1 << 24,
        max_container_values: 1 << 20,
        batch_bytes,
    };
    let mut splitter = Splitter::new(plan(), "s", limits);
    let failed = |Failure(message): Failure| message;
    for piece in pieces {
        splitter.feed(piece).map_err(failed)?;
    }
    splitter.finish().map_err(failed)?;
    let sink = &splitter.sink;
    for (_, _, array) in &sink.batches {
        array.validate_full().map_err(|error| error.to_string())?;
    }
    let mut quarantined: Vec<(usize, usize)> = Vec::new();
    for one in &sink.quarantined {
        let end = one.start + one.data.len();
        match quarantined.last_mut() {
            Some(last) if one.continued => last.1 = end,
            _ => quarantined.push((one.start, end)),
        }
    }
    let report = &sink.report;
    Ok(Outcome {
        rows: sink.batches.iter().map(|(_, _, array)| array.len() as i64).sum(),
        counts: [report.containers, report.records, report.quarantined, report.items],
        quarantined,
        batches: sink.batches.clone(),
    })
}

proptest! {
    #[test]
    fn any_text_is_decoded_the_same_however_it_is_cut(
        text in text(),
        cuts in proptest::collection::vec(0..2000_usize, 0..4),
    ) {
        let whole = decode(&[&text], 1 << 20);
        prop_assert!(!whole.as_ref().is_err_and(|message| message.contains("report this")), "{whole:?}");
        if let Ok(outcome) = &whole {
            prop_assert_eq!(outcome.counts[1], outcome.rows + outcome.counts[2]);
            let pieces = outcome.quarantined.iter();
            prop_assert!(pieces.clone().all(|&(start, end)| start <= end && end <= text.len()));
        }
        let mut cuts: Vec<usize> = cuts.into_iter().map(|cut| cut.min(text.len())).chain([0, text.len()]).collect();
        cuts.sort_unstable();
        let pieces: Vec<&[u8]> = cuts.windows(2).map(|ends| &text[ends[0]..ends[1]]).collect();
        prop_assert_eq!(&whole, &decode(&pieces, 1 << 20));
        let small = decode(&pieces, 1);
        prop_assert_eq!(small.map(|outcome| outcome.rows), whole.map(|outcome| outcome.rows));
    }
}
