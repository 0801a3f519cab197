//! Policies that ask, and those that do not.

use crate::files::Files;

fn lookups(defaults: &str) -> Vec<String> {
    let mut files = Files::default();
    let head = format!("name = \"t\"\ncurrency = \"EUR\"\n[defaults]\nstrategy = \"least_cost\"\n{defaults}");
    files.insert("table.toml", head);
    files.insert("carriers.toml", "[[carrier]]\nname = \"a\"\ncurrency = \"EUR\"\n");
    files.insert(
        "policies.toml",
        "[[policy]]\nname = \"asks\"\nmatch = { class = \"otp\" }\nroute = { lookup = \"always\" }\n\
         [[policy]]\nname = \"never\"\nmatch = { account = \"x\" }\nroute = { lookup = \"never\" }\n\
         [[policy]]\nname = \"bars\"\nmatch = { account = \"y\" }\nreject = \"no\"\n\
         [[policy]]\nname = \"follows\"\nmatch = { account = \"z\" }\nroute = {}\n",
    );
    files.insert("rates/a.csv", "mcc,mnc,prefix,price,from,until\n208,,,0.04,,\n");
    files.insert(
        "numbering.csv",
        "prefix,mcc,mnc,country,operator\n33,208,01,FR,Orange\n",
    );
    let (table, _) = crate::build(&files).unwrap_or_else(|problems| panic!("{problems}"));
    table.lookups().map(str::to_owned).collect()
}

#[test]
fn routes_that_ask_are_named_and_what_they_leave_open_the_defaults_say() {
    assert_eq!(lookups(""), ["asks"]);
    assert_eq!(lookups("lookup = \"when_it_matters\"\n"), ["asks", "follows", ""]);
}
