//! Every list of connections finds its rows by an index, whatever it is filtered by.

use holdfast::{
    domain::tags::Tags,
    storage::connection_list::{self, ListConnections},
};

use super::query_plans::{is_indexed, key};
use crate::support::database::SqliteDatabase;

/// Every combination of filters.
fn lists() -> Vec<ListConnections> {
    let given = |text: &str| Some(text.to_owned());
    let integrations = |keys: &[&str]| Some(keys.iter().map(|key| (*key).to_owned()).collect());
    let tags = |keys: &[&str]| -> Tags {
        let pairs = keys.iter().map(|key| ((*key).to_owned(), "v".to_owned()));
        pairs.collect()
    };
    let mut lists = vec![ListConnections {
        limit: 100,
        ..ListConnections::default()
    }];
    let mut vary = |change: &dyn Fn(&mut ListConnections)| {
        let mut changed = lists.clone();
        changed.iter_mut().for_each(change);
        lists.extend(changed);
    };
    vary(&|list| list.connection_id = given("user-1"));
    vary(&|list| list.end_user_id = given("u1"));
    vary(&|list| list.organization_id = given("o1"));
    vary(&|list| list.before = Some(1));
    vary(&|list| list.search = given("search"));
    vary(&|list| list.integrations = integrations(&["a"]));
    vary(&|list| list.tags = tags(&["a"]));
    let one = lists.clone();
    let mut short = one.clone();
    short.retain(|list| list.search.is_some());
    for list in &mut short {
        list.search = given("s");
    }
    let mut several = one.clone();
    several.retain(|list| list.integrations.is_some());
    for list in &mut several {
        list.integrations = integrations(&["a", "b"]);
    }
    let mut tagged = one;
    tagged.retain(|list| !list.tags.is_empty());
    for list in &mut tagged {
        list.tags = tags(&["a", "b"]);
    }
    [lists, short, several, tagged].concat()
}

#[test]
fn every_list_seeks_its_connections() {
    let database = SqliteDatabase::new();
    let lists = lists();
    assert!(lists.len() > 300, "{}", lists.len());
    for list in lists {
        let plan = database.query_plan(connection_list::list(&key(), &list).statement());
        is_indexed(&format!("{list:?}"), &plan);
        let is_range = |step: &&String| step.starts_with("SEARCH") && !step.contains("=?");
        assert_eq!(plan.iter().find(is_range), None, "{list:?} {plan:#?}");
    }
}

#[test]
fn a_list_by_one_filter_comes_out_of_its_index_newest_first() {
    let database = SqliteDatabase::new();
    let is_plain = |list: &ListConnections| {
        let filters = [
            list.connection_id.is_some(),
            list.end_user_id.is_some(),
            list.organization_id.is_some(),
            list.integrations.is_some(),
        ];
        let several = list
            .integrations
            .as_ref()
            .is_some_and(|keys| keys.len() > 1);
        let filters = filters.iter().filter(|is_given| **is_given).count();
        filters <= 1 && !several && list.search.is_none() && list.tags.is_empty()
    };
    let lists: Vec<_> = lists().into_iter().filter(is_plain).collect();
    assert_eq!(lists.len(), 10);
    for list in lists {
        let plan = database.query_plan(connection_list::list(&key(), &list).statement());
        // What follows sorts the one page that was found.
        let search = plan.iter().take_while(|step| *step != "SCAN candidate");
        let sorts = search.into_iter().any(|step| step.contains("TEMP B-TREE"));
        assert!(!sorts, "{list:?} {plan:#?}");
    }
}

#[test]
fn a_narrower_filter_goes_before_the_environment() {
    let database = SqliteDatabase::new();
    let is_narrow = |list: &ListConnections| {
        let is_long = list.search.as_ref().is_some_and(|search| search.len() >= 3);
        list.integrations.is_some() || !list.tags.is_empty() || is_long
    };
    for list in lists().into_iter().filter(is_narrow) {
        let plan = database.query_plan(connection_list::list(&key(), &list).statement());
        let by_environment = "INDEX connection_environment";
        let walks = plan.iter().any(|step| {
            step.starts_with("SEARCH connection USING INDEX") && step.contains(by_environment)
        });
        assert!(!walks, "{list:?} {plan:#?}");
    }
}

#[test]
fn a_list_of_one_person_is_read_from_the_persons_index_whatever_the_integration() {
    let database = SqliteDatabase::new();
    let given = |text: &str| Some(text.to_owned());
    for keys in [&["a"][..], &["a", "b"][..]] {
        let integrations = Some(keys.iter().map(|key| (*key).to_owned()).collect::<Vec<_>>());
        for (end_user_id, organization_id, index) in [
            (given("u1"), None, "connection_end_user"),
            (None, given("o1"), "connection_organization"),
        ] {
            let list = ListConnections {
                integrations: integrations.clone(),
                end_user_id,
                organization_id,
                limit: 100,
                ..ListConnections::default()
            };
            let plan = database.query_plan(connection_list::list(&key(), &list).statement());
            assert!(plan.iter().any(|step| step.contains(index)), "{plan:#?}");
        }
    }
}
