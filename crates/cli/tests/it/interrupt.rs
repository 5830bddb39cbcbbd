//! Ctrl-C.

use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use crate::sandbox::Sandbox;

#[test]
fn an_interrupted_training_saves_and_exits_with_130() {
    let sandbox = Sandbox::with_bars();
    for signal in ["INT", "TERM"] {
        let arguments = format!("train classifier --data bars --run {signal} --epochs 100000");
        let child = sandbox
            .command(&arguments)
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let weights = sandbox.path(&format!("{signal}/last.safetensors"));
        wait_until(|| weights.exists());
        send(signal, &child);
        let output = child.wait_with_output().unwrap();
        let stderr = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(130), "{stderr}");
        assert_eq!(output.stdout, b"");
        let last = stderr.lines().last().unwrap();
        assert!(last.starts_with("interrupted: in epoch "), "{last}");
        assert!(
            last.ends_with(&format!(
                "; to continue: juggle train classifier --run {signal} --resume"
            )),
            "{last}"
        );
        let stopped = sandbox.events(signal, "stopped");
        assert_eq!(stopped[0]["reason"], "interrupted");
        assert!(!sandbox.exists(&format!("{signal}/metrics.json")));
        sandbox
            .juggle(&format!("evaluate {signal} --weights last --json"))
            .json();
    }
}

fn wait_until(done: impl Fn() -> bool) {
    let started = Instant::now();
    while !done() {
        assert!(
            started.elapsed() < Duration::from_secs(60),
            "the training did not get so far"
        );
        std::thread::sleep(Duration::from_millis(20));
    }
}

fn send(signal: &str, child: &Child) {
    let id = child.id().to_string();
    assert!(
        Command::new("kill")
            .args(["-s", signal, &id])
            .status()
            .unwrap()
            .success()
    );
}
