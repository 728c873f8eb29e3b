//! Measures how long a frame takes from one process to another by iceoryx2. frames.py starts a reader and a writer, and
//! tells what they have to do.

use iceoryx2::prelude::*;
use iceoryx2_bb_elementary::package_version::PackageVersion;
use std::error::Error;
use std::io::Read;
use std::mem::MaybeUninit;
use std::time::Duration;

const SIZE: usize = 3840 * 2160 * 3;
const PAUSE_NS: u64 = 3_000_000;

/// The nanoseconds of CLOCK_MONOTONIC, which `std::time::Instant` does not tell.
fn now() -> u64 {
    let mut t = libc::timespec { tv_sec: 0, tv_nsec: 0 };
    unsafe { libc::clock_gettime(libc::CLOCK_MONOTONIC, &mut t) };
    t.tv_sec as u64 * 1_000_000_000 + t.tv_nsec as u64
}

/// The first 64 bytes of a frame's pixels.
#[repr(C)]
#[derive(Clone, Copy)]
struct Stamp {
    sent_at: u64,
    number: u64,
    rest: [u64; 6],
}

type Frames = iceoryx2::service::port_factory::publish_subscribe::PortFactory<ipc::Service, [u8], ()>;
type Events = iceoryx2::service::port_factory::event::PortFactory<ipc::Service>;

/// All files of a run begin with its name, or are in a folder of that name, so that the bench can remove them.
fn open(name: &str) -> Result<(Node<ipc::Service>, Frames, Events), Box<dyn Error>> {
    let mut config = Config::default();
    config.global.prefix = FileName::new(format!("{name}_").as_bytes())?;
    config
        .global
        .set_root_path(&Path::new(format!("/tmp/{name}/").as_bytes())?);
    let node = NodeBuilder::new()
        .config(&config)
        .signal_handling_mode(SignalHandlingMode::Disabled)
        .create::<ipc::Service>()?;
    // The reader gets the newest frame alone, as in iceoryx2's own benchmark. There is memory for one reader.
    let frames = node
        .service_builder(&name.try_into()?)
        .publish_subscribe::<[u8]>()
        .max_publishers(1)
        .max_subscribers(1)
        .history_size(0)
        .subscriber_max_buffer_size(1)
        .subscriber_max_borrowed_samples(1)
        .enable_safe_overflow(true)
        .open_or_create()?;
    let events = node.service_builder(&name.try_into()?).event().open_or_create()?;
    Ok((node, frames, events))
}

fn read(name: &str, spins: bool, count: u64) -> Result<(), Box<dyn Error>> {
    let (_node, frames, events) = open(name)?;
    let listener = events.listener_builder().create()?;
    let subscriber = frames.subscriber_builder().create()?;
    let mut times = Vec::with_capacity(count as usize);
    println!("ready");
    loop {
        if !spins {
            listener.blocking_wait(|_| {})?;
        }
        let sample = match subscriber.receive()? {
            Some(sample) => sample,
            None => continue,
        };
        let stamp = sample.payload().as_ptr() as *const Stamp;
        let here = now();
        let stamp = unsafe { stamp.read_unaligned() };
        times.push(here - stamp.sent_at);
        if stamp.number == count {
            break;
        }
    }
    let words: Vec<String> = times.iter().map(u64::to_string).collect();
    println!("times {}", words.join(" "));
    println!("versions iceoryx2={}", PackageVersion::get());
    Ok(())
}

fn write(name: &str, spins: bool, busy: bool, count: u64) -> Result<(), Box<dyn Error>> {
    let (_node, frames, events) = open(name)?;
    let notifier = events.notifier_builder().create()?;
    let publisher = frames.publisher_builder().initial_max_slice_len(SIZE).create()?;
    for number in 1..=count {
        if busy {
            let end = now() + PAUSE_NS;
            while now() < end {}
        } else {
            std::thread::sleep(Duration::from_nanos(PAUSE_NS));
        }
        let mut sample = publisher.loan_slice_uninit(SIZE)?;
        let pixels: &mut [MaybeUninit<u8>] = sample.payload_mut();
        let stamp = pixels.as_mut_ptr() as *mut Stamp;
        let sample = unsafe {
            stamp.write_unaligned(Stamp {
                sent_at: now(),
                number,
                rest: [number; 6],
            });
            sample.assume_init()
        };
        sample.send()?;
        if !spins {
            notifier.notify()?;
        }
    }
    std::io::stdin().read_to_end(&mut Vec::new())?; // the reader may still read the last frame
    Ok(())
}

fn main() -> Result<(), Box<dyn Error>> {
    set_log_level(LogLevel::Error);
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match words[..] {
        ["reader", "iceoryx2", way, _, name, count] => read(name, way == "spins", count.parse()?),
        ["writer", "iceoryx2", way, pause, name, count] => write(name, way == "spins", pause == "busy", count.parse()?),
        _ => Err("usage: handover reader|writer iceoryx2 waits|spins asleep|busy NAME COUNT".into()),
    }
}
