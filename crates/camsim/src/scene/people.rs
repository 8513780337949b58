//! What moves: the officer, the citizen, the paper between them, people walking by, and the display of numbers.
//!
//! Everything is a function of the phase, which runs from 0 to 1 over the clip and starts again: all of it meets its
//! own beginning.

use std::f32::consts::TAU;

use super::canvas::{Align, Canvas, Fonts, Ink, WIDTH, alpha, mix, rgb};
use super::look::{Person, Variant};

const WHITE: Ink = rgb(0xffffff);
const BLACK: Ink = rgb(0x000000);
const DARK: Ink = rgb(0x2a2a2e);

/// A wave with whole periods in the clip, from -1 to 1.
fn wave(phase: f32, periods: f32, shift: f32) -> f32 {
    ((phase * periods + shift) * TAU).sin()
}

/// From 0 to 1 between two phases, with soft ends.
fn ease(phase: f32, from: f32, to: f32) -> f32 {
    let t = ((phase - from) / (to - from)).clamp(0.0, 1.0);
    t * t * (3.0 - 2.0 * t)
}

/// A point that goes through places at given phases.
fn along(phase: f32, path: &[(f32, (f32, f32))]) -> (f32, f32) {
    let mut at = path.first().map_or((0.0, 0.0), |stop| stop.1);
    for pair in path.windows(2) {
        if let [(from, start), (to, end)] = pair
            && phase >= *from
        {
            let t = ease(phase, *from, *to);
            at = (start.0 + (end.0 - start.0) * t, start.1 + (end.1 - start.1) * t);
        }
    }
    at
}

const PAPER: [(f32, (f32, f32)); 8] = [
    (0.0, (520.0, 905.0)),
    (0.08, (742.0, 776.0)),
    (0.18, (962.0, 716.0)),
    (0.64, (962.0, 716.0)),
    (0.75, (742.0, 776.0)),
    (0.82, (742.0, 776.0)),
    (0.92, (520.0, 905.0)),
    (1.0, (520.0, 905.0)),
];

const CITIZEN_HAND: [(f32, (f32, f32)); 9] = [
    (0.0, (600.0, 880.0)),
    (0.08, (712.0, 792.0)),
    (0.16, (820.0, 756.0)),
    (0.26, (690.0, 812.0)),
    (0.7, (690.0, 812.0)),
    (0.77, (716.0, 792.0)),
    (0.83, (716.0, 792.0)),
    (0.92, (600.0, 880.0)),
    (1.0, (600.0, 880.0)),
];

const OFFICER_HAND: [(f32, (f32, f32)); 13] = [
    (0.0, (1050.0, 706.0)),
    (0.14, (1050.0, 706.0)),
    (0.2, (986.0, 704.0)),
    (0.42, (994.0, 706.0)),
    (0.46, (1064.0, 722.0)),
    (0.49, (1020.0, 640.0)),
    (0.52, (978.0, 706.0)),
    (0.55, (1010.0, 646.0)),
    (0.58, (970.0, 712.0)),
    (0.63, (986.0, 700.0)),
    (0.73, (880.0, 730.0)),
    (0.82, (1050.0, 706.0)),
    (1.0, (1050.0, 706.0)),
];

/// Between the hall and the counter.
pub(super) fn draw_behind(canvas: &mut Canvas, fonts: &Fonts, variant: &Variant, phase: f32) {
    draw_display(canvas, fonts, variant, phase);
    // Two people cross the hall, one each way, each once in the clip and out of sight for the rest.
    let [first, second] = &variant.walkers;
    let walk = (phase - 0.1) / 0.42;
    if (0.0..1.0).contains(&walk) {
        draw_walker(canvas, first, (-120.0 + walk * (WIDTH + 240.0), 596.0), walk * 9.0);
    }
    let walk = (phase - 0.56) / 0.38;
    if (0.0..1.0).contains(&walk) {
        draw_walker(canvas, second, (WIDTH + 120.0 - walk * (WIDTH + 240.0), 606.0), walk * 9.0);
    }
    // Light of the monitor on the officer, never quite steady.
    let flicker = 26.0 + 9.0 * wave(phase, 31.0, 0.0) + 5.0 * wave(phase, 53.0, 0.3);
    canvas.glow((1170.0, 580.0), (150.0, 150.0), alpha(rgb(0xa8d4ff), flicker as u8));
    draw_officer(canvas, &variant.officer, phase);
}

fn draw_display(canvas: &mut Canvas, fonts: &Fonts, variant: &Variant, phase: f32) {
    canvas.round((1504.0, 152.0), (300.0, 168.0), 10.0, alpha(BLACK, 70));
    canvas.round((1500.0, 146.0), (300.0, 168.0), 10.0, rgb(0x1a1c20));
    canvas.round((1510.0, 156.0), (280.0, 148.0), 6.0, rgb(0x0c0d10));
    canvas.text(&fonts.bold, 24.0, (1650.0, 190.0), Align::Middle, ("MỜI SỐ", rgb(0x7ee08a)));
    let second_half = phase >= 0.5;
    let number = variant.numbers[usize::from(second_half)];
    // A new number blinks.
    let since = if second_half { phase - 0.5 } else { phase };
    let lit = since > 0.1 || (since * 60.0).fract() < 0.62;
    let ink = if lit { rgb(0xff4b3a) } else { rgb(0x54140f) };
    canvas.text(&fonts.mono, 76.0, (1650.0, 264.0), Align::Middle, (number, ink));
    canvas.text(&fonts.plain, 21.0, (1650.0, 294.0), Align::Middle, (variant.counter_name, rgb(0xf2c94c)));
}

fn draw_walker(canvas: &mut Canvas, person: &Person, foot: (f32, f32), steps: f32) {
    let swing = (steps * TAU).sin();
    let (x, y) = (foot.0, foot.1 - 3.0 * (steps * 2.0 * TAU).cos());
    canvas.glow((x, foot.1 + 56.0), (70.0, 14.0), alpha(BLACK, 100));
    for side in [-1.0, 1.0] {
        canvas.line(
            &[(x, y - 70.0), (x + side * swing * 20.0, y - 10.0), (x + side * swing * 32.0, foot.1 + 52.0)],
            24.0,
            mix(DARK, WHITE, 0.12 + 0.04 * side),
        );
    }
    canvas.line(
        &[(x, y - 176.0), (x - swing * 26.0, y - 120.0), (x - swing * 34.0, y - 84.0)],
        17.0,
        mix(person.cloth, BLACK, 0.25),
    );
    canvas.round((x - 38.0, y - 204.0), (76.0, 146.0), 30.0, person.cloth);
    canvas.line(
        &[(x, y - 176.0), (x + swing * 26.0, y - 122.0), (x + swing * 34.0, y - 86.0)],
        17.0,
        mix(person.cloth, WHITE, 0.12),
    );
    canvas.rect((x - 10.0, y - 222.0), (20.0, 26.0), mix(person.skin, BLACK, 0.12));
    if person.long_hair {
        canvas.round((x - 30.0, y - 282.0), (60.0, 92.0), 26.0, person.hair);
    }
    canvas.oval((x, y - 244.0), (25.0, 31.0), person.skin);
    canvas.oval((x, y - 260.0), (28.0, 21.0), person.hair);
}

fn draw_officer(canvas: &mut Canvas, person: &Person, phase: f32) {
    // The head goes down to read and up to speak.
    let reading = ease(phase, 0.18, 0.26) - ease(phase, 0.62, 0.7);
    let nod = 4.0 * wave(phase, 7.0, 0.1) * (1.0 - 0.6 * reading);
    let lean = 6.0 * wave(phase, 2.0, 0.0);
    let (x, y) = (960.0 + lean, 520.0 + 3.0 * wave(phase, 5.0, 0.2));
    let head = (x + 5.0 * wave(phase, 3.0, 0.4) - 8.0 * reading, y - 62.0 + nod + 20.0 * reading);
    // The chair.
    canvas.round((x - 100.0, y - 34.0), (200.0, 240.0), 40.0, rgb(0x33393f));
    if person.long_hair {
        canvas.round((head.0 - 54.0, head.1 - 64.0), (108.0, 148.0), 48.0, person.hair);
    }
    // Body with collar, badge and a soft shade at the side.
    canvas.round((x - 122.0, y + 28.0), (244.0, 220.0), 66.0, person.cloth);
    canvas.round((x + 50.0, y + 40.0), (70.0, 190.0), 40.0, alpha(BLACK, 22));
    canvas.rect((x - 22.0, y - 8.0), (44.0, 52.0), mix(person.skin, BLACK, 0.14));
    canvas.poly(&[(x - 36.0, y + 30.0), (x, y + 72.0), (x - 58.0, y + 62.0)], mix(person.cloth, WHITE, 0.6));
    canvas.poly(&[(x + 36.0, y + 30.0), (x, y + 72.0), (x + 58.0, y + 62.0)], mix(person.cloth, WHITE, 0.6));
    canvas.line(&[(x, y + 72.0), (x, y + 180.0)], 2.5, alpha(BLACK, 50));
    canvas.round((x + 36.0, y + 96.0), (54.0, 36.0), 4.0, rgb(0xf7f7f2));
    canvas.rect((x + 41.0, y + 101.0), (16.0, 20.0), mix(person.skin, WHITE, 0.2));
    canvas.rect((x + 61.0, y + 104.0), (24.0, 4.0), rgb(0xb3202a));
    canvas.rect((x + 61.0, y + 112.0), (20.0, 3.0), rgb(0x9aa3ab));
    draw_face(canvas, person, head, phase, reading);
}

fn draw_face(canvas: &mut Canvas, person: &Person, head: (f32, f32), phase: f32, reading: f32) {
    let (x, y) = head;
    canvas.oval((x - 48.0, y + 2.0), (8.0, 13.0), mix(person.skin, BLACK, 0.1));
    canvas.oval((x + 48.0, y + 2.0), (8.0, 13.0), mix(person.skin, BLACK, 0.1));
    canvas.oval((x, y), (48.0, 60.0), person.skin);
    canvas.glow((x + 22.0, y + 12.0), (32.0, 46.0), alpha(BLACK, 28));
    let hair = [
        (x - 52.0, y - 4.0),
        (x - 50.0, y - 42.0),
        (x - 24.0, y - 68.0),
        (x + 20.0, y - 68.0),
        (x + 50.0, y - 42.0),
        (x + 52.0, y - 4.0),
        (x + 40.0, y - 30.0),
        (x + 4.0, y - 40.0),
        (x - 36.0, y - 26.0),
    ];
    canvas.poly(&hair, person.hair);
    // Lids close for a blink and half close over a paper.
    let blink = (phase * 23.0).fract() < 0.06;
    let open = if blink { 1.0 } else { 5.5 - 3.0 * reading };
    for side in [-1.0, 1.0] {
        let eye = (x + side * 19.0 - 3.0 * reading, y - 2.0 + 6.0 * reading);
        canvas.oval(eye, (6.0, open), DARK);
        canvas.line(&[(eye.0 - 10.0, eye.1 - 13.0), (eye.0 + 10.0, eye.1 - 14.0)], 3.0, person.hair);
    }
    canvas.line(&[(x, y + 4.0), (x - 4.0, y + 18.0), (x + 3.0, y + 19.0)], 2.5, mix(person.skin, BLACK, 0.28));
    let speaking = phase < 0.14 || (0.3..0.42).contains(&phase) || (0.68..0.86).contains(&phase);
    let mouth = if speaking { 3.0 + 3.5 * wave(phase, 48.0, 0.0).abs() } else { 2.0 };
    canvas.oval((x - 2.0 * reading, y + 33.0 + 3.0 * reading), (13.0, mouth), rgb(0xa8504a));
}

/// Between the counter and the camera.
pub(super) fn draw_before(canvas: &mut Canvas, variant: &Variant, phase: f32) {
    draw_paper(canvas, along(phase, &PAPER), phase);
    draw_officer_arms(canvas, &variant.officer, phase);
    draw_citizen(canvas, &variant.citizen, phase);
}

fn draw_paper(canvas: &mut Canvas, at: (f32, f32), phase: f32) {
    let corner = |u: f32, v: f32| (at.0 + u * 104.0 - v * 22.0, at.1 + v * 50.0 - u * 4.0);
    let sheet = |du: f32, dv: f32| {
        [
            corner(-0.5 + du, -0.5 + dv),
            corner(0.5 + du, -0.5 + dv),
            corner(0.5 + du, 0.5 + dv),
            corner(-0.5 + du, 0.5 + dv),
        ]
    };
    canvas.poly(&sheet(0.05, 0.1), alpha(BLACK, 60));
    canvas.poly(&sheet(0.03, 0.05), rgb(0xe7e3d6));
    canvas.poly(&sheet(0.0, 0.0), rgb(0xfbfaf5));
    for row in 0..6 {
        let v = -0.36 + row as f32 * 0.14;
        let end = if row % 3 == 2 { 0.1 } else { 0.4 };
        canvas.line(&[corner(-0.4, v), corner(end, v)], 2.0, rgb(0xaab2bb));
    }
    // Stamped once, then a second time across the first.
    for (after, u, v) in [(0.52, 0.2, 0.24), (0.58, 0.12, 0.3)] {
        if phase >= after {
            canvas.oval(corner(u, v), (13.0, 7.0), alpha(rgb(0xd0202c), 170));
        }
    }
}

fn draw_officer_arms(canvas: &mut Canvas, person: &Person, phase: f32) {
    let sleeve = mix(person.cloth, BLACK, 0.06);
    let typing = if (0.28..0.42).contains(&phase) { 4.0 * wave(phase, 60.0, 0.0) } else { 0.0 };
    let left = (884.0 + 4.0 * wave(phase, 4.0, 0.0), 708.0 + typing);
    let right = along(phase, &OFFICER_HAND);
    for (shoulder, elbow, hand) in [((858.0, 590.0), (832.0, 676.0), left), ((1062.0, 590.0), (1086.0, 672.0), right)] {
        canvas.glow((hand.0, hand.1 + 12.0), (40.0, 14.0), alpha(BLACK, 70));
        let wrist = (elbow.0 + (hand.0 - elbow.0) * 0.72, elbow.1 + (hand.1 - elbow.1) * 0.72);
        canvas.line(&[shoulder, elbow], 46.0, sleeve);
        canvas.line(&[elbow, wrist], 36.0, sleeve);
        canvas.line(&[wrist, hand], 22.0, person.skin);
        canvas.oval(hand, (17.0, 13.0), person.skin);
    }
    if (0.45..0.62).contains(&phase) {
        // The stamp.
        canvas.round((right.0 - 9.0, right.1 - 32.0), (18.0, 34.0), 7.0, rgb(0x5b3a1e));
        canvas.round((right.0 - 15.0, right.1 + 2.0), (30.0, 14.0), 4.0, rgb(0x2a2a2e));
    }
}

fn draw_citizen(canvas: &mut Canvas, person: &Person, phase: f32) {
    let sway = 9.0 * wave(phase, 2.0, 0.3);
    let (x, y) = (470.0 + sway, 640.0 + 5.0 * wave(phase, 4.0, 0.0));
    let dark = mix(person.cloth, BLACK, 0.3);
    // The arm on the counter, in front of the body's far side.
    let hand = along(phase, &CITIZEN_HAND);
    let elbow = (x + 190.0, y + 240.0);
    canvas.glow((hand.0, hand.1 + 16.0), (50.0, 16.0), alpha(BLACK, 80));
    let wrist = (elbow.0 + (hand.0 - elbow.0) * 0.7, elbow.1 + (hand.1 - elbow.1) * 0.7);
    canvas.line(&[(x + 130.0, y + 140.0), elbow], 88.0, dark);
    canvas.line(&[elbow, wrist], 60.0, dark);
    canvas.line(&[wrist, hand], 36.0, person.skin);
    canvas.oval(hand, (25.0, 18.0), person.skin);
    // Back and shoulders, seen from behind.
    canvas.round((x - 206.0, y + 74.0), (412.0, 480.0), 130.0, person.cloth);
    canvas.glow((x + 90.0, y + 260.0), (150.0, 260.0), alpha(BLACK, 70));
    canvas.glow((x - 110.0, y + 190.0), (130.0, 160.0), alpha(WHITE, 30));
    canvas.line(&[(x, y + 130.0), (x + 4.0, 1080.0)], 3.0, alpha(BLACK, 40));
    let turn = 8.0 * wave(phase, 3.0, 0.15);
    canvas.round((x - 40.0 + turn * 0.4, y + 20.0), (84.0, 90.0), 30.0, mix(person.skin, BLACK, 0.15));
    canvas.round((x - 70.0, y + 70.0), (144.0, 40.0), 20.0, mix(person.cloth, WHITE, 0.12));
    let head = (x + turn, y - 34.0 + 4.0 * wave(phase, 6.0, 0.5));
    canvas.oval((head.0 + 82.0, head.1 + 12.0), (13.0, 22.0), person.skin);
    canvas.oval((head.0 - 80.0, head.1 + 12.0), (11.0, 20.0), person.skin);
    canvas.oval((head.0 + 6.0, head.1 + 16.0), (80.0, 92.0), person.skin);
    if person.long_hair {
        canvas.round((head.0 - 86.0, head.1 - 104.0), (170.0, 260.0), 80.0, person.hair);
    } else {
        canvas.oval((head.0, head.1 - 10.0), (84.0, 94.0), person.hair);
    }
    canvas.glow((head.0 - 30.0, head.1 - 56.0), (60.0, 40.0), alpha(WHITE, 44));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_meet_their_beginning() {
        for path in [&PAPER[..], &CITIZEN_HAND[..], &OFFICER_HAND[..]] {
            assert_eq!(along(0.0, path), along(1.0, path));
            assert!(path.windows(2).all(|pair| pair[0].0 < pair[1].0), "phases must grow");
        }
        assert!((wave(0.0, 7.0, 0.3) - wave(1.0, 7.0, 0.3)).abs() < 1e-4);
    }

    #[test]
    fn a_path_is_followed() {
        let path = [(0.0, (0.0, 0.0)), (0.5, (10.0, 4.0)), (1.0, (0.0, 0.0))];
        assert_eq!(along(0.25, &path), (5.0, 2.0));
        assert_eq!(along(0.5, &path), (10.0, 4.0));
    }
}
