//! `minhbach-server`: reads the command line and the configuration, then hands over to [`run`].
//!
//! Nothing else belongs here.

mod cameras;
mod config;
mod http;
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
    /// Say on purpose that the footage in the data folder belongs to the database beside it.
    ///
    /// For when the server says that deletion is locked: after a database was put back from a copy, or made anew. Holds that are
    /// only in the lost database are not known to this one: place them again first.
    TrustDatabase(Flags),
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
        /// Leave secrets out. The configuration holds none at present; scripts can rely on the flag.
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
        Command::TrustDatabase(flags) => match flags.load() {
            Ok(config) => trust(config),
            Err(error) => fail(&error),
        },
        Command::Config(ConfigCommand::Check(flags)) => match flags.load() {
            Ok(_) => {
                println!("the configuration can be used");
                ExitCode::SUCCESS
            }
            Err(error) => fail(&error),
        },
        Command::Config(ConfigCommand::Print { flags, redacted: _ }) => match flags.load().and_then(|c| c.to_toml()) {
            Ok(text) => {
                print!("{text}");
                ExitCode::SUCCESS
            }
            Err(error) => fail(&error),
        },
    }
}

fn start(config: Config) -> ExitCode {
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new("info,retina=error"));
    tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr)
        .with_ansi(std::io::IsTerminal::is_terminal(&std::io::stderr()))
        .with_target(false)
        .init();
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().thread_name("server").build();
    let result = match runtime {
        Ok(runtime) => runtime.block_on(run::run(config)),
        Err(error) => return fail(&error),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => fail(&error),
    }
}

fn trust(config: Config) -> ExitCode {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let result = match runtime {
        Ok(runtime) => runtime.block_on(run::trust_database(config)),
        Err(error) => return fail(&error),
    };
    match result {
        Ok(()) => {
            println!("the footage belongs to this database from now on");
            ExitCode::SUCCESS
        }
        Err(error) => fail(&error),
    }
}

/// Prints an error and everything behind it, each once.
fn fail(error: &dyn std::error::Error) -> ExitCode {
    eprintln!("minhbach-server: {}", minhbach_recorder::chain(error));
    ExitCode::FAILURE
}
