//! `place`: agencies, sites and contact points.

use minhbach_client::{Client, PlaceId};
use minhbach_model::{AgencyId, PlaceTree, SiteId};
use serde_json::{Value, json};

use crate::args::{PlaceArg, PlaceCommand};
use crate::error::CtlError;
use crate::output::Output;

/// Runs a command on places.
pub async fn run(client: &Client, output: &mut Output, command: PlaceCommand) -> Result<(), CtlError> {
    match command {
        PlaceCommand::List => list(output, &client.places().await?),
        PlaceCommand::AddAgency { name, parent } => {
            added(output, "agency", &client.create_agency(&name, parent).await?.id.to_string())
        }
        PlaceCommand::AddSite { name, agency } => {
            added(output, "site", &client.create_site(&name, agency).await?.id.to_string())
        }
        PlaceCommand::AddContactPoint { name, site } => {
            added(output, "contact point", &client.create_contact_point(&name, site).await?.id.to_string())
        }
        PlaceCommand::Rename { place, name } => {
            let place = named(&place)?;
            client.rename_place(place, &name).await?;
            done(output, place, "renamed", "Renamed")
        }
        PlaceCommand::Remove { place } => {
            let place = named(&place)?;
            client.remove_place(place).await?;
            done(output, place, "removed", "Removed")
        }
    }
}

fn named(place: &PlaceArg) -> Result<PlaceId, CtlError> {
    place.place().ok_or_else(|| CtlError::Usage("give one of --agency, --site and --contact-point".to_owned()))
}

fn added(output: &mut Output, what: &str, id: &str) -> Result<(), CtlError> {
    if output.is_json() { output.object(&json!({ "id": id })) } else { output.line(&format!("Added {what} {id}.")) }
}

fn done(output: &mut Output, place: PlaceId, key: &str, text: &str) -> Result<(), CtlError> {
    let (what, id) = match place {
        PlaceId::Agency(id) => ("agency", id.to_string()),
        PlaceId::Site(id) => ("site", id.to_string()),
        PlaceId::ContactPoint(id) => ("contact point", id.to_string()),
    };
    if output.is_json() {
        output.object(&json!({ "id": id, key: true }))
    } else {
        output.line(&format!("{text} {what} {id}."))
    }
}

fn list(output: &mut Output, tree: &PlaceTree) -> Result<(), CtlError> {
    if output.is_json() {
        for value in objects(tree) {
            output.object(&value)?;
        }
        return Ok(());
    }
    if tree.agencies.is_empty() {
        return output.line("No places yet: add an agency with `minhbachctl place add-agency`.");
    }
    for line in lines(tree) {
        output.line(&line)?;
    }
    Ok(())
}

fn objects(tree: &PlaceTree) -> Vec<Value> {
    let agencies = tree.agencies.iter().map(|agency| {
        json!({
            "type": "agency",
            "id": agency.id.to_string(),
            "parent_id": agency.parent.map(|id| id.to_string()),
            "name": agency.name,
        })
    });
    let sites = tree.sites.iter().map(|site| {
        json!({ "type": "site", "id": site.id.to_string(), "agency_id": site.agency.to_string(), "name": site.name })
    });
    let points = tree.contact_points.iter().map(|point| {
        json!({
            "type": "contact_point",
            "id": point.id.to_string(),
            "site_id": point.site.to_string(),
            "name": point.name,
        })
    });
    agencies.chain(sites).chain(points).collect()
}

/// The tree, two blanks a level. Each place is visited once, so that a circle of agencies cannot go on for ever.
fn lines(tree: &PlaceTree) -> Vec<String> {
    let mut lines = Vec::new();
    let mut seen = Vec::new();
    let tops = tree.agencies.iter().filter(|agency| agency.parent.is_none()).map(|agency| agency.id);
    // A stack; reversed so that places come out in the order of their names.
    let mut waiting: Vec<(usize, AgencyId)> = tops.map(|id| (0, id)).collect();
    waiting.reverse();
    while let Some((depth, id)) = waiting.pop() {
        if seen.contains(&id) {
            continue;
        }
        seen.push(id);
        let name = tree.agencies.iter().find(|agency| agency.id == id).map_or("", |agency| agency.name.as_str());
        lines.push(format!("{:indent$}{name}  [agency {id}]", "", indent = 2 * depth));
        for site in tree.sites.iter().filter(|site| site.agency == id) {
            lines.push(format!("{:indent$}{}  [site {}]", "", site.name, site.id, indent = 2 * depth + 2));
            lines.extend(point_lines(tree, site.id, 2 * depth + 4));
        }
        let below =
            tree.agencies.iter().filter(|agency| agency.parent == Some(id)).map(|agency| (depth + 1, agency.id));
        waiting.extend(below.rev());
    }
    lines
}

fn point_lines(tree: &PlaceTree, site: SiteId, indent: usize) -> Vec<String> {
    tree.contact_points
        .iter()
        .filter(|point| point.site == site)
        .map(|point| format!("{:indent$}{}  [contact point {}]", "", point.name, point.id))
        .collect()
}

#[cfg(test)]
mod tests {
    use minhbach_model::{Agency, ContactPoint, ContactPointId, Site};

    use super::*;

    #[test]
    fn the_tree_is_indented_and_in_order() {
        let (a, b, c, s) = (AgencyId::generate(), AgencyId::generate(), AgencyId::generate(), SiteId::generate());
        let tree = PlaceTree {
            agencies: vec![
                Agency { id: a, parent: None, name: "A".to_owned() },
                Agency { id: b, parent: Some(a), name: "B".to_owned() },
                Agency { id: c, parent: None, name: "C".to_owned() },
            ],
            sites: vec![Site { id: s, agency: a, name: "S".to_owned() }],
            contact_points: vec![ContactPoint { id: ContactPointId::generate(), site: s, name: "P".to_owned() }],
        };
        let names: Vec<String> =
            lines(&tree).iter().filter_map(|line| line.split("  [").next().map(str::to_owned)).collect();
        assert_eq!(names, ["A", "  S", "    P", "  B", "C"]);
        assert_eq!(objects(&tree).len(), 5);
        assert_eq!(objects(&tree)[4]["type"], "contact_point");
    }
}
