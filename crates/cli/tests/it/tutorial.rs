//! Every command of `docs/tutorial.md`, in its order, on images that are drawn here. Its Python is run by `cargo xtask interop`.

use std::path::Path;

use crate::sandbox::Sandbox;

const SIZE: usize = 16;

/// The lines of the fenced blocks of shell.
fn commands(text: &str) -> Vec<String> {
    let mut commands = Vec::new();
    let mut in_shell = false;
    for line in text.lines() {
        match line {
            "```sh" => in_shell = true,
            "```" => in_shell = false,
            _ if in_shell => commands.push(line.to_owned()),
            _ => {}
        }
    }
    commands
}

/// Whether a pixel is inside a shape whose middle is at (row, column).
fn inside(shape: &str, y: f64, x: f64, radius: f64) -> bool {
    match shape {
        "circle" => y.hypot(x) <= radius,
        "square" => y.abs() <= radius && x.abs() <= radius,
        _ => y.abs() <= radius && x.abs() <= (y + radius) / 2.0,
    }
}

fn draw(sandbox: &Sandbox, name: &str, shape: &str, i: usize) {
    let radius = 3.0 + (i % 3) as f64;
    let middle = |step: usize| 6.0 + ((i * step) % 5) as f64;
    sandbox.write_gray(name, SIZE, |y, x| {
        let (y, x) = (y as f64 - middle(2), x as f64 - middle(3));
        if inside(shape, y, x, radius) {
            190 + u8::try_from(i).unwrap()
        } else {
            10
        }
    });
}

fn write_data(sandbox: &Sandbox) {
    for shape in ["circle", "square", "triangle"] {
        for i in 0..20 {
            draw(sandbox, &format!("shapes/{shape}/{i:03}.png"), shape, i);
        }
    }
    draw(sandbox, "new.png", "square", 21);
    for (split, n_clips) in [("train", 2), ("val", 1)] {
        for clip in 0..n_clips {
            for frame in 0..8 {
                let name = format!("clips/{split}/clip{clip}/{frame}.png");
                sandbox.write_gray(&name, SIZE, |y, x| {
                    let (y, x) = (y as f64 - 8.0, x as f64 - (4 + frame) as f64);
                    if y.hypot(x) <= 3.0 { 230 } else { 0 }
                });
            }
        }
    }
}

#[test]
fn every_command_of_the_tutorial_runs() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/tutorial.md");
    let commands = commands(&std::fs::read_to_string(path).unwrap());
    assert_eq!(commands.len(), 13, "{commands:#?}");
    let sandbox = Sandbox::new();
    write_data(&sandbox);
    for command in &commands {
        let arguments = command
            .strip_prefix("juggle ")
            .unwrap_or_else(|| panic!("`{command}` is no command of juggle"));
        let output = sandbox.juggle(arguments);
        assert_eq!(output.code, Some(0), "{command}: {output:#?}");
    }
    for file in [
        "maps/new.occlusion.png",
        "shapes.onnx",
        "shapes.safetensors",
        "next/animation.png",
        "next/strip.png",
        "next/prediction_04.png",
        "next.onnx",
    ] {
        assert!(sandbox.exists(file), "the tutorial promises {file}");
    }
    // What it teaches is learnt: three shapes are told apart on images kept aside.
    let evaluation = sandbox.juggle("evaluate runs/shapes --json").json();
    let accuracy = evaluation["accuracy"].as_f64().unwrap();
    assert!(accuracy >= 0.6, "{evaluation}");
}
