//! The arguments. What a wrong one means is told here, by clap; its exit status is 2.

use std::convert::Infallible;
use std::path::PathBuf;
use std::str::FromStr;

use clap::{Parser, Subcommand, ValueEnum};
use minhbach_client::PlaceId;
use minhbach_model::{
    AgencyId, CameraId, ContactPointId, HoldId, IncidentCategory, IncidentId, IncidentState, RetentionScope, SiteId,
    StreamKind,
};

use crate::error::Subject;
use crate::when::When;

/// Cameras, recordings, incidents and holds of a Minh Bạch server, from the command line.
///
/// Times are given as RFC 3339 (2026-11-24T14:05:09+07:00), `now`, or a time before now: -90s, -5m, -2h, -1d (24 hours).
/// Text shows times of Asia/Ho_Chi_Minh, or of the zone that TZ names; --json shows them in UTC.
/// Exit status: 0 done, 1 refused or failed (the message says what to do), 2 wrong usage.
#[derive(Debug, Parser)]
#[command(name = "minhbachctl", version)]
pub struct Args {
    /// Address of the server [default: MINHBACH_SERVER in the environment, or http://127.0.0.1:7878].
    // Defaults that are looked up here and not by clap: it puts options from the environment into every usage line.
    #[arg(long, global = true, value_name = "URL", default_value_t = default_server(), hide_default_value = true)]
    pub server: String,
    /// Print one JSON object a line, with times in RFC 3339 UTC, instead of text.
    #[arg(long, global = true)]
    pub json: bool,
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

fn default_server() -> String {
    from_environment("MINHBACH_SERVER", "http://127.0.0.1:7878")
}

/// Who does it, where nothing else is said: until accounts exist, the account on this machine.
fn default_person() -> String {
    from_environment("USER", "minhbachctl")
}

fn from_environment(name: &str, otherwise: &str) -> String {
    // What is not Unicode is passed on too, so that whoever reads it can say what is wrong with it.
    let value = std::env::var_os(name).filter(|value| !value.is_empty());
    value.map_or_else(|| otherwise.to_owned(), |value| value.to_string_lossy().into_owned())
}

/// What to do.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Add, change, test and list cameras.
    Camera {
        /// What to do.
        #[command(subcommand)]
        command: CameraCommand,
    },
    /// Agencies, sites and contact points: where cameras stand.
    Place {
        /// What to do.
        #[command(subcommand)]
        command: PlaceCommand,
    },
    /// What is recorded, and what is missing and why.
    Recordings {
        /// What to do.
        #[command(subcommand)]
        command: RecordingsCommand,
    },
    /// Receive a live stream for some seconds and tell what came.
    Live(LiveArgs),
    /// Save a time range of a camera as an MP4 file, bytes as recorded.
    Export(ExportArgs),
    /// Flag, list and change incidents.
    Incident {
        /// What to do.
        #[command(subcommand)]
        command: IncidentCommand,
    },
    /// Forbid the deletion of footage, and allow it again.
    Hold {
        /// What to do.
        #[command(subcommand)]
        command: HoldCommand,
    },
    /// How long footage is kept.
    Retention {
        /// What to do.
        #[command(subcommand)]
        command: RetentionCommand,
    },
    /// What was deleted.
    Deletions {
        /// What to do.
        #[command(subcommand)]
        command: DeletionsCommand,
    },
    /// The state of the server, its store, its archive and each camera.
    Status,
}

impl Command {
    /// What a command names by its id: what is looked up when the server does not know it.
    pub fn subject(&self) -> Subject {
        match self {
            Self::Camera { command: CameraCommand::Add { .. } } | Self::Place { .. } => Subject::Place,
            Self::Camera { command: CameraCommand::Set { change, .. } } if change.contact_point.is_some() => {
                Subject::CameraOrPlace
            }
            Self::Incident { command: IncidentCommand::Flag { .. } }
            | Self::Hold { command: HoldCommand::Add { .. } }
            | Self::Camera { .. }
            | Self::Recordings { .. }
            | Self::Live(_)
            | Self::Export(_)
            | Self::Deletions { .. }
            | Self::Status => Subject::Camera,
            Self::Incident { .. } => Subject::Incident,
            Self::Hold { .. } => Subject::Hold,
            Self::Retention { command } => command.subject(),
        }
    }
}

/// Commands on cameras.
#[derive(Debug, Subcommand)]
pub enum CameraCommand {
    /// Add a camera; recording starts at once.
    Add {
        /// Shown name.
        #[arg(long)]
        name: String,
        /// Full-resolution stream, rtsp://HOST[:PORT]/PATH without user name and password.
        #[arg(long, value_name = "URL")]
        main: String,
        /// Low-resolution stream for small tiles.
        #[arg(long, value_name = "URL")]
        sub: Option<String>,
        /// Account on the camera.
        #[arg(long)]
        username: Option<String>,
        /// File whose first line is the camera's password; - reads standard input.
        #[arg(long, value_name = "FILE", requires = "username")]
        password_file: Option<PathBuf>,
        /// The contact point it watches.
        #[arg(long, value_name = "ID")]
        contact_point: Option<ContactPointId>,
    },
    /// Every camera with its state.
    List {
        /// The cameras that were removed and whose footage may still be there, instead.
        #[arg(long)]
        removed: bool,
    },
    /// One camera with the state of its streams.
    Show {
        /// The camera.
        id: CameraId,
    },
    /// Change what is given; the rest stays.
    Set {
        /// The camera.
        id: CameraId,
        /// What to change.
        #[command(flatten)]
        change: CameraChange,
    },
    /// Connect to a camera and tell what it answers; changes and stores nothing.
    Test {
        /// A camera that exists; its settings are used where none are given.
        #[arg(required_unless_present = "main")]
        id: Option<CameraId>,
        /// Settings to test.
        #[command(flatten)]
        change: CameraChange,
    },
    /// Stop recording a camera until it is resumed.
    Pause {
        /// The camera.
        id: CameraId,
    },
    /// Record a paused camera again.
    Resume {
        /// The camera.
        id: CameraId,
    },
    /// Take a camera out of the lists; its footage stays.
    Remove {
        /// The camera.
        id: CameraId,
    },
}

/// Settings of a camera, each optional.
#[derive(Debug, Clone, PartialEq, Eq, clap::Args)]
pub struct CameraChange {
    /// Shown name.
    #[arg(long)]
    pub name: Option<String>,
    /// Full-resolution stream, rtsp://HOST[:PORT]/PATH without user name and password.
    #[arg(long, value_name = "URL")]
    pub main: Option<String>,
    /// Low-resolution stream for small tiles; `none` for none.
    #[arg(long, value_name = "URL")]
    pub sub: Option<OrNone<Text>>,
    /// Account on the camera; empty for none, which forgets the password as well.
    #[arg(long)]
    pub username: Option<String>,
    /// File whose first line is the camera's password; - reads standard input.
    #[arg(long, value_name = "FILE")]
    pub password_file: Option<PathBuf>,
    /// The contact point it watches; `none` for none.
    #[arg(long, value_name = "ID")]
    pub contact_point: Option<OrNone<ContactPointId>>,
}

/// A value, or the word `none`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OrNone<T>(pub Option<T>);

impl<T: FromStr> FromStr for OrNone<T> {
    type Err = T::Err;

    fn from_str(text: &str) -> Result<Self, T::Err> {
        if text == "none" { Ok(Self(None)) } else { text.parse().map(|value| Self(Some(value))) }
    }
}

/// Any text, as a value of [`OrNone`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Text(pub String);

impl FromStr for Text {
    type Err = Infallible;

    fn from_str(text: &str) -> Result<Self, Infallible> {
        Ok(Self(text.to_owned()))
    }
}

/// Commands on places.
#[derive(Debug, Subcommand)]
pub enum PlaceCommand {
    /// Every agency, site and contact point.
    List,
    /// Add an agency.
    AddAgency {
        /// Shown name.
        #[arg(long)]
        name: String,
        /// The agency it belongs to.
        #[arg(long, value_name = "ID")]
        parent: Option<AgencyId>,
    },
    /// Add a site: a building or office of an agency.
    AddSite {
        /// Shown name.
        #[arg(long)]
        name: String,
        /// The agency it belongs to.
        #[arg(long, value_name = "ID")]
        agency: AgencyId,
    },
    /// Add a contact point: a counter, desk or room of a site.
    AddContactPoint {
        /// Shown name.
        #[arg(long)]
        name: String,
        /// The site it belongs to.
        #[arg(long, value_name = "ID")]
        site: SiteId,
    },
    /// Give a place another name.
    Rename {
        /// Which place.
        #[command(flatten)]
        place: PlaceArg,
        /// The new name.
        #[arg(long)]
        name: String,
    },
    /// Remove a place that holds nothing any more.
    Remove {
        /// Which place.
        #[command(flatten)]
        place: PlaceArg,
    },
}

/// A place of any kind.
#[derive(Debug, clap::Args)]
#[group(required = true, multiple = false)]
pub struct PlaceArg {
    /// An agency.
    #[arg(long, value_name = "ID")]
    agency: Option<AgencyId>,
    /// A site.
    #[arg(long, value_name = "ID")]
    site: Option<SiteId>,
    /// A contact point.
    #[arg(long, value_name = "ID")]
    contact_point: Option<ContactPointId>,
}

impl PlaceArg {
    /// The place that was named; clap sees to it that there is exactly one.
    pub fn place(&self) -> Option<PlaceId> {
        self.agency
            .map(PlaceId::Agency)
            .or(self.site.map(PlaceId::Site))
            .or(self.contact_point.map(PlaceId::ContactPoint))
    }
}

/// Commands on recordings.
#[derive(Debug, Subcommand)]
pub enum RecordingsCommand {
    /// Recorded files and gaps in a time range, in the order of time.
    List {
        /// The camera.
        #[arg(long, value_name = "ID")]
        camera: CameraId,
        /// main or sub.
        #[arg(long, default_value = "main")]
        stream: StreamKind,
        /// Start of the range.
        #[arg(long, value_name = "TIME", allow_hyphen_values = true)]
        from: When,
        /// End of the range.
        #[arg(long, value_name = "TIME", allow_hyphen_values = true, default_value = "now")]
        to: When,
    },
}

/// Arguments of `live`.
#[derive(Debug, clap::Args)]
pub struct LiveArgs {
    /// The camera.
    #[arg(long, value_name = "ID")]
    pub camera: CameraId,
    /// main or sub.
    #[arg(long, default_value = "main")]
    pub stream: StreamKind,
    /// How long to receive.
    #[arg(long, value_name = "SECONDS", value_parser = clap::value_parser!(u64).range(1..=86_400))]
    pub seconds: u64,
    /// Leave the sound out.
    #[arg(long)]
    pub without_audio: bool,
}

/// Arguments of `export`.
#[derive(Debug, clap::Args)]
pub struct ExportArgs {
    /// The camera.
    #[arg(long, value_name = "ID")]
    pub camera: CameraId,
    /// main or sub.
    #[arg(long, default_value = "main")]
    pub stream: StreamKind,
    /// Start of the range, exact to the frame.
    #[arg(long, value_name = "TIME", allow_hyphen_values = true)]
    pub from: When,
    /// End of the range.
    #[arg(long, value_name = "TIME", allow_hyphen_values = true)]
    pub to: When,
    /// The file to write; its name ends in .mp4.
    #[arg(long, value_name = "FILE.mp4")]
    pub out: PathBuf,
    /// Leave the sound out.
    #[arg(long)]
    pub without_audio: bool,
    /// Replace the file if it exists.
    #[arg(long)]
    pub force: bool,
}

/// Commands on incidents.
#[derive(Debug, Subcommand)]
pub enum IncidentCommand {
    /// Flag a time range on one or more cameras.
    Flag {
        /// A camera; give it again for more.
        #[arg(long = "camera", value_name = "ID", required = true)]
        cameras: Vec<CameraId>,
        /// Start of the range.
        #[arg(long, value_name = "TIME", allow_hyphen_values = true, requires = "to")]
        #[arg(required_unless_present = "seconds_back")]
        from: Option<When>,
        /// End of the range.
        #[arg(long, value_name = "TIME", allow_hyphen_values = true, requires = "from")]
        to: Option<When>,
        /// The last seconds up to now, instead of a range.
        #[arg(long, value_name = "SECONDS", conflicts_with_all = ["from", "to"])]
        #[arg(value_parser = clap::value_parser!(u64).range(1..=86_400))]
        seconds_back: Option<u64>,
        /// What it is about.
        #[arg(long, default_value = "unsorted")]
        category: CategoryArg,
        /// Free text.
        #[arg(long, default_value = "")]
        note: String,
        /// Who flags it [default: USER in the environment, or minhbachctl].
        #[arg(long, default_value_t = default_person(), hide_default_value = true)]
        author: String,
    },
    /// Incidents, newest first.
    List {
        /// Only those in this state.
        #[arg(long)]
        state: Option<StateArg>,
        /// Only those of this camera.
        #[arg(long, value_name = "ID")]
        camera: Option<CameraId>,
    },
    /// One incident.
    Show {
        /// The incident.
        id: IncidentId,
    },
    /// Change what is given; the rest stays.
    #[command(group = clap::ArgGroup::new("change").required(true).multiple(true).args(["state", "category", "note"]))]
    Set {
        /// The incident.
        id: IncidentId,
        /// New state.
        #[arg(long)]
        state: Option<StateArg>,
        /// New category.
        #[arg(long)]
        category: Option<CategoryArg>,
        /// New note.
        #[arg(long)]
        note: Option<String>,
    },
    /// Close an incident.
    Close {
        /// The incident.
        id: IncidentId,
    },
}

/// Commands on holds.
#[derive(Debug, Subcommand)]
pub enum HoldCommand {
    /// Forbid the deletion of a time range of one or more cameras.
    Add {
        /// A camera; give it again for more.
        #[arg(long = "camera", value_name = "ID", required = true)]
        cameras: Vec<CameraId>,
        /// Start of the range.
        #[arg(long, value_name = "TIME", allow_hyphen_values = true)]
        from: When,
        /// End of the range; may be later than now.
        #[arg(long, value_name = "TIME", allow_hyphen_values = true)]
        to: When,
        /// Why.
        #[arg(long)]
        reason: String,
        /// Code of the case it belongs to; never a person's name.
        #[arg(long, default_value = "")]
        case: String,
        /// When it ends by itself, as RFC 3339; never when it is left out.
        #[arg(long, value_name = "TIME", allow_hyphen_values = true)]
        expires: Option<When>,
        /// Who places it [default: USER in the environment, or minhbachctl].
        #[arg(long, default_value_t = default_person(), hide_default_value = true)]
        owner: String,
    },
    /// Holds, newest first.
    List {
        /// Only those that stand now.
        #[arg(long)]
        standing: bool,
        /// Only those of this camera.
        #[arg(long, value_name = "ID")]
        camera: Option<CameraId>,
    },
    /// One hold.
    Show {
        /// The hold.
        id: HoldId,
    },
    /// End a hold; it stays listed.
    Release {
        /// The hold.
        id: HoldId,
        /// Why.
        #[arg(long)]
        reason: String,
        /// Who releases it [default: USER in the environment, or minhbachctl].
        #[arg(long, default_value_t = default_person(), hide_default_value = true)]
        by: String,
    },
}

/// Commands on how long footage is kept.
#[derive(Debug, Subcommand)]
pub enum RetentionCommand {
    /// Promise days, and say after how many footage is deleted.
    Set {
        /// What it is said of: default, camera:ID, contact-point:ID, site:ID or agency:ID.
        #[arg(long)]
        scope: ScopeArg,
        /// Days promised.
        #[arg(long, value_name = "N")]
        min_days: u32,
        /// Days after which footage is deleted; without it footage is kept as long as there is room.
        #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
        max_days: Option<u32>,
    },
    /// Say nothing of a scope any more; the next wider one counts.
    Unset {
        /// What it was said of.
        #[arg(long)]
        scope: ScopeArg,
    },
    /// What was said, and the days promised and kept of each camera.
    List,
}

impl RetentionCommand {
    fn subject(&self) -> Subject {
        match self {
            Self::Set { scope, .. } | Self::Unset { scope } => match scope.0 {
                RetentionScope::Default | RetentionScope::Camera(_) => Subject::Camera,
                RetentionScope::Agency(_) | RetentionScope::Site(_) | RetentionScope::ContactPoint(_) => Subject::Place,
            },
            Self::List => Subject::Camera,
        }
    }
}

/// What a retention is said of, as `default` or `KIND:ID`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ScopeArg(pub RetentionScope);

impl FromStr for ScopeArg {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        if text == "default" {
            return Ok(Self(RetentionScope::Default));
        }
        let expected = || format!("`{text}`: expected default, camera:ID, contact-point:ID, site:ID or agency:ID");
        let (kind, id) = text.split_once(':').ok_or_else(expected)?;
        let scope = match kind {
            "camera" => id.parse().map(RetentionScope::Camera),
            "contact-point" => id.parse().map(RetentionScope::ContactPoint),
            "site" => id.parse().map(RetentionScope::Site),
            "agency" => id.parse().map(RetentionScope::Agency),
            _ => return Err(expected()),
        };
        scope.map(Self).map_err(|error| error.to_string())
    }
}

/// Commands on what was deleted.
#[derive(Debug, Subcommand)]
pub enum DeletionsCommand {
    /// Deleted files, newest deletion first.
    List {
        /// Only those of this camera.
        #[arg(long, value_name = "ID")]
        camera: Option<CameraId>,
        /// Only footage of this time or later.
        #[arg(long, value_name = "TIME", allow_hyphen_values = true)]
        from: Option<When>,
        /// Only footage before this time.
        #[arg(long, value_name = "TIME", allow_hyphen_values = true)]
        to: Option<When>,
    },
}

/// State of an incident.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
#[value(rename_all = "snake_case")]
pub enum StateArg {
    /// Just flagged.
    New,
    /// Somebody works on it.
    InProgress,
    /// Put off.
    Shelved,
    /// Closed.
    Closed,
}

impl From<StateArg> for IncidentState {
    fn from(state: StateArg) -> Self {
        match state {
            StateArg::New => Self::New,
            StateArg::InProgress => Self::InProgress,
            StateArg::Shelved => Self::Shelved,
            StateArg::Closed => Self::Closed,
        }
    }
}

/// What an incident is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
#[value(rename_all = "snake_case")]
pub enum CategoryArg {
    /// Not said yet.
    Unsorted,
    /// Disrespectful conduct.
    Conduct,
    /// Money or a gift seems to change hands.
    Payment,
    /// A procedure is refused, delayed or made harder than the rules say.
    Obstruction,
    /// The place is unattended during opening hours.
    Absence,
    /// Somebody interferes with camera or microphone.
    Tampering,
    /// Safety of people.
    Safety,
    /// Anything else.
    Other,
}

impl From<CategoryArg> for IncidentCategory {
    fn from(category: CategoryArg) -> Self {
        match category {
            CategoryArg::Unsorted => Self::Unsorted,
            CategoryArg::Conduct => Self::Conduct,
            CategoryArg::Payment => Self::Payment,
            CategoryArg::Obstruction => Self::Obstruction,
            CategoryArg::Absence => Self::Absence,
            CategoryArg::Tampering => Self::Tampering,
            CategoryArg::Safety => Self::Safety,
            CategoryArg::Other => Self::Other,
        }
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    use super::*;
    use crate::words;

    const ID: &str = "01890a5d-ac96-774b-bcce-b302099a8057";

    fn parse(line: &str) -> Result<Args, clap::Error> {
        Args::try_parse_from(line.replace("ID", ID).split(' '))
    }

    #[test]
    fn the_arguments_are_consistent() {
        Args::command().debug_assert();
    }

    #[test]
    fn the_lines_of_the_contract_are_understood() {
        for line in [
            "minhbachctl camera add --name N --main rtsp://h/m --sub rtsp://h/s --username U --password-file F --contact-point ID",
            "minhbachctl camera list --json",
            "minhbachctl --json --server http://h:1 camera show ID",
            "minhbachctl camera set ID --sub none --contact-point none",
            "minhbachctl camera pause ID",
            "minhbachctl camera resume ID",
            "minhbachctl camera remove ID",
            "minhbachctl camera test ID",
            "minhbachctl camera test --main rtsp://h/m",
            "minhbachctl recordings list --camera ID --stream sub --from -2h --to now",
            "minhbachctl live --camera ID --stream main --seconds 5",
            "minhbachctl export --camera ID --from -90s --to -30s --out f.mp4",
            "minhbachctl incident flag --camera ID --camera ID --seconds-back 30",
            "minhbachctl incident flag --camera ID --from -5m --to now --category payment --note x --author A",
            "minhbachctl incident list --state in_progress --camera ID",
            "minhbachctl incident show ID",
            "minhbachctl incident set ID --state closed",
            "minhbachctl incident close ID",
            "minhbachctl hold add --camera ID --camera ID --from -2h --to now --reason R",
            "minhbachctl hold add --camera ID --from -2h --to now --reason R --case PA-7 --expires 2027-01-15T08:00:00Z",
            "minhbachctl hold list --standing --camera ID",
            "minhbachctl hold show ID",
            "minhbachctl hold release ID --reason R",
            "minhbachctl retention set --scope default --min-days 30",
            "minhbachctl retention set --scope contact-point:ID --min-days 30 --max-days 90",
            "minhbachctl retention unset --scope agency:ID",
            "minhbachctl export --camera ID --from -2d --to -1d --out F.MP4",
            "minhbachctl retention list",
            "minhbachctl deletions list",
            "minhbachctl deletions list --camera ID --from -2h --to now",
            "minhbachctl place list",
            "minhbachctl place rename --site ID --name N",
            "minhbachctl status",
        ] {
            if let Err(error) = parse(line) {
                panic!("{line}: {error}");
            }
        }
    }

    #[test]
    fn what_does_not_make_sense_is_wrong_usage() {
        for line in [
            "minhbachctl",
            "minhbachctl camera show seven",
            "minhbachctl camera test",
            "minhbachctl camera add --name N --main rtsp://h/m --password-file F",
            "minhbachctl recordings list --camera ID --from yesterday",
            "minhbachctl recordings list --camera ID --from 2026-11-24T14:05:09",
            "minhbachctl live --camera ID --stream third --seconds 5",
            "minhbachctl live --camera ID --seconds 0",
            "minhbachctl incident flag --camera ID",
            "minhbachctl incident flag --camera ID --from -5m",
            "minhbachctl incident flag --camera ID --from -5m --to now --seconds-back 30",
            "minhbachctl incident flag --seconds-back 30",
            "minhbachctl incident set ID",
            "minhbachctl hold add --camera ID --from -2h --to now",
            "minhbachctl hold add --from -2h --to now --reason R",
            "minhbachctl hold release ID",
            "minhbachctl retention set --scope default",
            "minhbachctl retention set --scope counter:ID --min-days 30",
            "minhbachctl retention set --scope camera:seven --min-days 30",
            "minhbachctl retention set --scope default --min-days 0 --max-days 0",
            "minhbachctl place remove",
            "minhbachctl place remove --site ID --agency ID",
        ] {
            assert_eq!(parse(line).unwrap_err().exit_code(), 2, "{line}");
        }
    }

    #[test]
    fn what_a_command_names_by_its_id_is_known() {
        for (line, subject) in [
            ("minhbachctl camera show ID", Subject::Camera),
            ("minhbachctl camera set ID --name N", Subject::Camera),
            ("minhbachctl camera set ID --contact-point ID", Subject::CameraOrPlace),
            ("minhbachctl camera add --name N --main rtsp://h/m --contact-point ID", Subject::Place),
            ("minhbachctl incident flag --camera ID --seconds-back 30", Subject::Camera),
            ("minhbachctl incident show ID", Subject::Incident),
            ("minhbachctl hold add --camera ID --from -2h --to now --reason R", Subject::Camera),
            ("minhbachctl hold release ID --reason R", Subject::Hold),
            ("minhbachctl retention set --scope site:ID --min-days 30", Subject::Place),
            ("minhbachctl retention set --scope camera:ID --min-days 30", Subject::Camera),
        ] {
            assert_eq!(parse(line).unwrap().command.subject(), subject, "{line}");
        }
    }

    #[test]
    fn a_usage_line_names_what_is_missing_and_no_default() {
        let usage = parse("minhbachctl hold release ID").unwrap_err().to_string();
        assert!(usage.contains("--reason <REASON>"), "{usage}");
        for noise in ["--server", "--by", "MINHBACH_SERVER"] {
            assert!(!usage.contains(noise), "{usage}");
        }
    }

    #[test]
    fn the_help_names_the_environment_and_not_what_is_in_it() {
        let help = Args::command().render_long_help().to_string();
        // Without its line breaks, which depend on the width of the terminal.
        let help = help.split_whitespace().collect::<Vec<_>>().join(" ");
        for part in ["MINHBACH_SERVER in the environment", "Asia/Ho_Chi_Minh", "-1d"] {
            assert!(help.contains(part), "{part}: {help}");
        }
        assert_eq!(from_environment("MINHBACH_NO_SUCH_VARIABLE", "x"), "x");
    }

    #[test]
    fn a_scope_is_read_as_it_is_printed() {
        for text in ["default", "camera:ID", "contact-point:ID", "site:ID", "agency:ID"] {
            let text = text.replace("ID", ID);
            assert_eq!(text.parse::<ScopeArg>().map(|scope| words::scope(scope.0)), Ok(text));
        }
    }

    #[test]
    fn words_read_and_words_printed_are_the_same() {
        for state in StateArg::value_variants() {
            let name = state.to_possible_value().unwrap();
            assert_eq!(name.get_name(), words::incident_state((*state).into()));
        }
        for category in CategoryArg::value_variants() {
            let name = category.to_possible_value().unwrap();
            assert_eq!(name.get_name(), words::incident_category((*category).into()));
        }
    }
}
