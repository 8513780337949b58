//! `minhbach-server`: reads the command line and the configuration, then hands over to [`run`] or [`offline`].
//!
//! Nothing else belongs here.

mod archive;
mod cameras;
mod config;
mod http;
mod offline;
mod run;
mod services;

use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Parser, Subcommand};
use tracing_subscriber::EnvFilter;

use crate::config::{Config, Overrides};

/// The Minh Bạch server: records every camera with its sound, and serves live view, playback, export and incidents.
///
/// Without a configuration it keeps everything in one folder and listens on this machine only.
#[derive(Debug, Parser)]
#[command(name = "minhbach-server", version)]
struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Run the server until SIGTERM or Ctrl-C.
    Run(Flags),
    /// Compare the index with the footage: exit code 0 when all agrees, 1 when not. Changes nothing, also beside a running
    /// server.
    Check {
        #[command(flatten)]
        flags: Flags,
        /// Read every byte of footage and compare its hash, too.
        #[arg(long)]
        deep: bool,
        /// Print one JSON object.
        #[arg(long)]
        json: bool,
    },
    /// Make the index again from the footage, in spool and archive. What only the old database knows is taken from it as
    /// far as it can be read; it is kept beside the new one.
    RebuildIndex(Flags),
    /// Accept the database in use as the one that belongs to the footage, after the server has said that it deletes
    /// nothing. Footage it does not know gets rows first.
    TrustDatabase(Flags),
    /// Accept what the clock says, after the server has said that it deletes nothing by its age because the clock jumped
    /// ahead. What is too old by it is deleted from then on.
    TrustClock(Flags),
    /// Look at the configuration.
    #[command(subcommand)]
    Config(ConfigCommand),
}

#[derive(Debug, Subcommand)]
enum ConfigCommand {
    /// Say whether the configuration can be used, and where it cannot.
    Check(Flags),
    /// Print the configuration as it is in force.
    Print {
        #[command(flatten)]
        flags: Flags,
        /// Leave secrets out: the password in the address of the database.
        #[arg(long)]
        redacted: bool,
    },
}

#[derive(Debug, clap::Args)]
struct Flags {
    /// Configuration file (TOML). What is given on the command line wins over it.
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// Folder for footage and database.
    #[arg(long, value_name = "DIR")]
    data_dir: Option<PathBuf>,
    /// Address for the console and minhbachctl; a loopback address. Port 0 takes any free port.
    #[arg(long, value_name = "ADDRESS:PORT")]
    listen: Option<SocketAddr>,
    /// Address for /metrics and /healthz; a loopback address.
    #[arg(long, value_name = "ADDRESS:PORT")]
    http: Option<SocketAddr>,
}

impl Flags {
    fn load(&self) -> Result<Config, config::ConfigError> {
        let overrides = Overrides { data_dir: self.data_dir.clone(), listen: self.listen, http: self.http };
        Config::load(self.config.as_deref(), overrides)
    }
}

fn main() -> ExitCode {
    match Args::parse().command {
        Command::Run(flags) => match flags.load() {
            Ok(config) => start(config),
            Err(error) => fail(&error),
        },
        Command::Config(ConfigCommand::Check(flags)) => match flags.load() {
            Ok(config) => {
                for disk in archive::sharing_disks(&config.spool.disks) {
                    let disk = disk.display();
                    println!(
                        "warning: {disk} is on the file system of another disk of the spool: they fill up and fail together"
                    );
                }
                println!("the configuration can be used");
                ExitCode::SUCCESS
            }
            Err(error) => fail(&error),
        },
        Command::Config(ConfigCommand::Print { flags, redacted }) => {
            let shown = |config: Config| if redacted { config.redacted() } else { config };
            match flags.load().map(shown).and_then(|config| config.to_toml()) {
                Ok(text) => {
                    print!("{text}");
                    ExitCode::SUCCESS
                }
                Err(error) => fail(&error),
            }
        }
        Command::Check { flags, deep, json } => match flags.load() {
            Ok(config) => check(&config, deep, json),
            Err(error) => failed_check(&error),
        },
        Command::RebuildIndex(flags) => match flags.load() {
            Ok(config) => rebuild(&config),
            Err(error) => fail(&error),
        },
        Command::TrustDatabase(flags) => match flags.load() {
            Ok(config) => trust(&config),
            Err(error) => fail(&error),
        },
        Command::TrustClock(flags) => match flags.load() {
            Ok(config) => trust_clock(&config),
            Err(error) => fail(&error),
        },
    }
}

fn start(config: Config) -> ExitCode {
    log("info,retina=error");
    match block_on(run::run(config)) {
        Ok(Ok(())) => ExitCode::SUCCESS,
        Ok(Err(error)) => fail(&error),
        Err(error) => fail(&error),
    }
}

fn check(config: &Config, deep: bool, json: bool) -> ExitCode {
    log("warn");
    match block_on(offline::check(config, deep)) {
        Ok(Ok(report)) => {
            if json {
                offline::print_report_json(&report);
            } else {
                offline::print_report(&report);
            }
            if report.is_clean() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
        }
        Ok(Err(error)) => failed_check(&error),
        Err(error) => failed_check(&error),
    }
}

fn rebuild(config: &Config) -> ExitCode {
    log("warn");
    match block_on(offline::rebuild(config)) {
        Ok(Ok((report, aside))) => {
            offline::print_rebuilt(&report, aside.as_deref());
            ExitCode::SUCCESS
        }
        Ok(Err(error)) => fail(&error),
        Err(error) => fail(&error),
    }
}

fn trust(config: &Config) -> ExitCode {
    log("warn");
    match block_on(offline::trust(config)) {
        Ok(Ok(adopted)) => {
            println!("spool and archive belong to this database; {adopted} segments without a row got one");
            ExitCode::SUCCESS
        }
        Ok(Err(error)) => fail(&error),
        Err(error) => fail(&error),
    }
}

fn trust_clock(config: &Config) -> ExitCode {
    log("warn");
    match block_on(offline::trust_clock(config)) {
        Ok(Ok((now, before))) => {
            let before = before.map(|before| format!("; {before} had been seen before")).unwrap_or_default();
            println!("it is {now}{before}; what is too old is deleted from now on");
            ExitCode::SUCCESS
        }
        Ok(Err(error)) => fail(&error),
        Err(error) => fail(&error),
    }
}

/// A check that did not come to its end is not one that found something.
fn failed_check(error: &dyn std::error::Error) -> ExitCode {
    fail(error);
    ExitCode::from(2)
}

fn block_on<T>(work: impl Future<Output = T>) -> std::io::Result<T> {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().thread_name("server").build()?;
    Ok(runtime.block_on(work))
}

/// Logs to the standard error output, by default what this filter lets through.
fn log(default: &str) {
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new(default));
    tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr)
        .with_ansi(std::io::IsTerminal::is_terminal(&std::io::stderr()))
        .with_target(false)
        .init();
}

/// Prints an error and everything behind it, each once.
fn fail(error: &dyn std::error::Error) -> ExitCode {
    eprintln!("minhbach-server: {}", minhbach_recorder::chain(error));
    ExitCode::FAILURE
}
