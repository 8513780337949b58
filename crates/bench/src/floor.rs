//! The cost floor of recording: reads the interleaved bytes of N cameras and writes each read to a file, one thread, no
//! parsing, no hash, no sync. Nothing that records can be cheaper on this machine by much.

use std::fs::File;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::path::Path;

use rustix::event::epoll;

use crate::{Outcome, failed};

/// Reads and writes until it is killed.
pub fn run(address: SocketAddr, cameras: u32, out: &Path) -> Outcome {
    let poll = epoll::create(epoll::CreateFlags::CLOEXEC).map_err(failed("epoll"))?;
    let mut connections = Vec::new();
    for camera in 0..cameras {
        let socket = connect(address, camera)?;
        socket.set_nonblocking(true).map_err(failed("socket"))?;
        let data = epoll::EventData::new_u64(u64::from(camera));
        epoll::add(&poll, &socket, data, epoll::EventFlags::IN).map_err(failed("epoll"))?;
        let file = File::create(out.join(format!("floor-{camera}.rtp"))).map_err(failed("file"))?;
        connections.push((socket, file));
    }
    println!("ready floor cameras={cameras}");
    let mut buffer = vec![0; 64 * 1024];
    let mut events = Vec::with_capacity(256);
    loop {
        events.clear();
        match epoll::wait(&poll, rustix::buffer::spare_capacity(&mut events), None) {
            Ok(_) => {}
            Err(rustix::io::Errno::INTR) => continue,
            Err(error) => return Err(format!("epoll: {error}")),
        }
        for event in &events {
            let at = usize::try_from(event.data.u64()).unwrap_or(0);
            let Some((socket, file)) = connections.get_mut(at) else { continue };
            match socket.read(&mut buffer) {
                Ok(0) => return Err(format!("camera {at} closed the connection")),
                Ok(n) => file.write_all(&buffer[..n]).map_err(failed("file"))?,
                Err(error) if error.kind() == std::io::ErrorKind::WouldBlock => {}
                Err(error) => return Err(format!("camera {at}: {error}")),
            }
        }
    }
}

fn connect(address: SocketAddr, camera: u32) -> Outcome<TcpStream> {
    let mut socket = TcpStream::connect(address).map_err(failed("connect"))?;
    let url = format!("rtsp://{address}/cam{camera}/main");
    let interleaved =
        |track: u32| format!("Transport: RTP/AVP/TCP;unicast;interleaved={}-{}\r\n", track * 2, track * 2 + 1);
    request(&mut socket, "DESCRIBE", &url, "")?;
    request(&mut socket, "SETUP", &format!("{url}/track0"), &interleaved(0))?;
    request(&mut socket, "SETUP", &format!("{url}/track1"), &interleaved(1))?;
    request(&mut socket, "PLAY", &format!("{url}/"), "")?;
    Ok(socket)
}

/// Sends a request and reads its answer to the byte, so that media bytes stay in the socket.
fn request(socket: &mut TcpStream, method: &str, url: &str, extra: &str) -> Outcome {
    let text = format!("{method} {url} RTSP/1.0\r\nCSeq: 1\r\n{extra}\r\n");
    socket.write_all(text.as_bytes()).map_err(failed("request"))?;
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        let mut byte = [0];
        socket.read_exact(&mut byte).map_err(failed("answer"))?;
        head.push(byte[0]);
    }
    let head = String::from_utf8_lossy(&head).to_ascii_lowercase();
    let len = head.lines().find_map(|line| line.strip_prefix("content-length:"));
    let mut body = vec![0; len.and_then(|len| len.trim().parse().ok()).unwrap_or(0)];
    socket.read_exact(&mut body).map_err(failed("answer"))
}
