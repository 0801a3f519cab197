//! Rows come with the lines they stand in, whatever the file looks like.

use source::Log;

use super::{Limit, read};

/// Reads two columns and gives back each row as `line: a b`, and what was reported.
fn rows(text: &[u8]) -> (Vec<String>, String) {
    let log = Log::new('X');
    let limit = Limit {
        rows_max: 5,
        help: "remove some",
    };
    let mut rows = Vec::new();
    read("x.csv", text, ["a", "b"], limit, &log, |row| {
        let [a, b] = row.fields;
        rows.push(format!("{}: {a} {b}", row.line));
    });
    (rows, log.into_problems().to_string())
}

#[test]
fn lines_are_those_of_an_editor() {
    let (found, report) = rows(b"a,b\n1,2\n\n\n\"3\",4\n5,6");
    assert_eq!(found, ["2: 1 2", "5: 3 4", "6: 5 6"], "{report}");
    let (found, report) = rows(b"\xef\xbb\xbfa,b\r\n1,2\r\n\r\n3,4\r\n");
    assert_eq!(found, ["2: 1 2", "4: 3 4"], "{report}");
    let (found, report) = rows(b"a,b\r1,2\r\r3,4");
    assert_eq!(found, ["2: 1 2", "4: 3 4"], "{report}");
}

#[test]
fn columns_are_found_by_name_in_any_order() {
    assert_eq!(rows(b" b , a\n 1 , 2 \n").0, ["2: 2 1"]);
    assert!(rows(b"a;b\n1;2\n").1.contains("columns are separated by ';'"));
    assert!(rows(b"a,a,b\n").1.contains("column \"a\" stands twice"));
    assert!(rows(b"").1.contains("the header is missing"));
}

#[test]
fn quotes_hold_commas_and_doubled_quotes() {
    let (found, report) = rows(b"\"a\",b\n\"1,\"\"2\"\"\",\"\"\n\"\"\"\",x\"y\n\"1\"2,\" 3 \" \n");
    assert_eq!(found, ["2: 1,\"2\" ", "3: \" x\"y", "4: 12 3"], "{report}");
}

/// A quote left open in three places, one of them closed by the quote of a later row.
#[test]
fn an_open_quote_is_told_at_its_line_and_costs_no_other_row() {
    let (found, report) = rows(b"a,b\n1,\"2\n3,4\n\"5\"\",6\n7,\"8\n\",9\n");
    assert_eq!(found, ["3: 3 4"], "{report}");
    let told = |line: u32, field: u32| {
        format!(
            "x.csv:{line}: error[X008]: the quote that opens field {field} is not closed in its line\n  a row is one line"
        )
    };
    for told in [told(2, 2), told(4, 1), told(5, 2), told(6, 1)] {
        assert!(report.contains(&told), "wanted: {told}\nfound: {report}");
    }
    assert!(
        rows(b"a,\"b\n1,2\n")
            .1
            .starts_with("x.csv:1: error[X008]: the quote that opens field 2")
    );
}

/// Rows with as many fields as where one's ends fit in, and one more, with an open quote and without.
#[test]
fn fields_are_counted_however_many_there_are() {
    for count in [1, 3, 63, 64, 65, 128, 129, 1_000] {
        let commas = ",".repeat(count - 1);
        let told = format!("x.csv:2: error[X007]: row has {count} fields, the header has 2");
        assert_eq!(rows(format!("a,b\n1{commas}\n").as_bytes()).1, told);
        let (found, report) = rows(format!("a,b\n{commas}\"\n1,2\n").as_bytes());
        let told = format!("x.csv:2: error[X008]: the quote that opens field {count} is not closed");
        assert!(report.starts_with(&told), "{report}");
        assert_eq!(found, ["3: 1 2"]);
    }
}

#[test]
fn a_carriage_return_ends_no_line_and_a_mark_begins_no_file_in_the_middle() {
    let (found, report) = rows(b"a,b\n1\r2,3\n\"\n\xef\xbb\xbf4,5\n");
    assert_eq!(found, ["2: 1\r2 3", "4: \u{feff}4 5"], "{report}");
}

#[test]
fn utf_16_is_told_once() {
    for text in [
        &b"\xff\xfea\0,\0b\0\n\0"[..],
        b"\xfe\xff\0a\0,\0b",
        b"a\0,\0b\0",
        b"\0a\0,\0b",
    ] {
        let wanted = "x.csv:1: error[X008]: the file is UTF-16\n  help: save it as UTF-8";
        assert_eq!(rows(text).1, wanted);
    }
}

#[test]
fn a_bad_row_costs_only_itself() {
    let (found, report) = rows(b"a,b\n1\n1,2,3\n\xff,2\n5,6\n");
    assert_eq!(found, ["5: 5 6"]);
    for line in ["x.csv:2: error[X007]", "x.csv:3: error[X007]", "x.csv:4: error[X008]"] {
        assert!(report.contains(line), "{report}");
    }
    let long = format!("a,b\n{},2\n", "x".repeat(257));
    assert!(
        rows(long.as_bytes())
            .1
            .contains("field 1 has 257 octets, the limit is 256")
    );
}

#[test]
fn too_many_rows_are_told_once() {
    let (found, report) = rows(b"a,b\n1,1\n2,2\n3,3\n4,4\n5,5\n6,6\n7,7\n");
    assert_eq!(
        (found.len(), report.as_str()),
        (5, "x.csv:7: error[X005]: more than 5 rows\n  help: remove some")
    );
}
