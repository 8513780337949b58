//! What stands still: the hall with its sign behind the counter, and the counter with its glass before it.
//!
//! People, papers and displays that change are drawn in `people`.

use super::canvas::{Align, Canvas, Fonts, Ink, WIDTH, alpha, mix, rgb};
use super::look::Variant;

/// Where the counter's top begins at the back.
pub(super) const DESK_BACK: f32 = 668.0;
/// Where the counter's top ends at the front.
pub(super) const DESK_FRONT: f32 = 800.0;
/// Where the wall meets the floor.
const FLOOR: f32 = 590.0;

const WHITE: Ink = rgb(0xffffff);
const BLACK: Ink = rgb(0x000000);

/// The hall behind the counter. Nothing of interest stands in the top 110 pixels: the camera's own text is there.
pub(super) fn draw_back(canvas: &mut Canvas, fonts: &Fonts, variant: &Variant) {
    let (top, low) = variant.wall;
    canvas.rect_down((0.0, 0.0), (WIDTH, FLOOR), top, low);
    canvas.rect_down((0.0, FLOOR), (WIDTH, 500.0), rgb(0xb9b4aa), rgb(0x8d877c));
    // Ceiling with light panels, and what they throw on the wall.
    canvas.poly_down(
        &[(0.0, 0.0), (WIDTH, 0.0), (WIDTH, 96.0), (0.0, 132.0)],
        (0.0, rgb(0xc8ccd0)),
        (132.0, rgb(0xe9ecee)),
    );
    for x in [260.0, 900.0, 1500.0] {
        canvas.poly(&[(x, 60.0), (x + 260.0, 54.0), (x + 230.0, 92.0), (x + 20.0, 98.0)], rgb(0xfdfefd));
        canvas.glow((x + 130.0, 190.0), (420.0, 240.0), alpha(WHITE, 70));
    }
    // Skirting and the line of tiles.
    canvas.rect((0.0, FLOOR - 16.0), (WIDTH, 16.0), mix(low, BLACK, 0.35));
    for i in 0..9 {
        let x = i as f32 * 240.0;
        canvas.line(&[(x, FLOOR), (x - 130.0, 700.0)], 2.0, alpha(BLACK, 26));
    }
    canvas.line(&[(0.0, 630.0), (WIDTH, 630.0)], 2.0, alpha(BLACK, 26));
    draw_window(canvas);
    draw_door(canvas);
    draw_board(canvas, fonts);
    draw_cabinets(canvas, variant);
    draw_plant(canvas, (1800.0, 640.0));
    draw_sign(canvas, fonts, variant);
}

fn draw_window(canvas: &mut Canvas) {
    canvas.rect((40.0, 216.0), (250.0, 262.0), rgb(0xf4f2ec));
    canvas.rect_down((54.0, 230.0), (222.0, 234.0), rgb(0xbfe0f4), rgb(0xe9f5ee));
    // Trees and a roof across the street, out of focus.
    canvas.oval((110.0, 446.0), (90.0, 60.0), rgb(0x9cc39a));
    canvas.oval((220.0, 452.0), (80.0, 46.0), rgb(0xaed0a6));
    canvas.rect((54.0, 464.0), (222.0, 40.0), rgb(0xf4f2ec));
    canvas.rect((161.0, 230.0), (8.0, 234.0), rgb(0xf4f2ec));
    canvas.rect((54.0, 330.0), (222.0, 6.0), rgb(0xf4f2ec));
    canvas.poly(&[(54.0, 232.0), (130.0, 232.0), (54.0, 350.0)], alpha(WHITE, 60));
    canvas.glow((170.0, 620.0), (320.0, 80.0), alpha(WHITE, 60));
}

fn draw_door(canvas: &mut Canvas) {
    canvas.rect((330.0, 262.0), (150.0, FLOOR - 262.0), rgb(0x7c6249));
    canvas.rect_down((342.0, 274.0), (126.0, FLOOR - 274.0), rgb(0xa98a68), rgb(0x92744f));
    canvas.rect((362.0, 300.0), (86.0, 120.0), rgb(0xcfe0e6));
    canvas.poly(&[(362.0, 300.0), (420.0, 300.0), (362.0, 372.0)], alpha(WHITE, 90));
    canvas.oval((456.0, 452.0), (6.0, 6.0), rgb(0xe5d9b0));
}

fn draw_board(canvas: &mut Canvas, fonts: &Fonts) {
    canvas.round((524.0, 318.0), (236.0, 190.0), 6.0, rgb(0x8b6f4e));
    canvas.rect((534.0, 328.0), (216.0, 170.0), rgb(0xe8dcc0));
    canvas.text(&fonts.bold, 17.0, (642.0, 352.0), Align::Middle, ("THỦ TỤC HÀNH CHÍNH", rgb(0x9a2a22)));
    for (column, x) in [546.0, 616.0, 686.0].into_iter().enumerate() {
        canvas.rect((x + 2.0, 366.0), (56.0, 116.0), alpha(BLACK, 40));
        canvas.rect((x, 362.0), (56.0, 118.0), WHITE);
        for row in 0..8 {
            let width = if (row + column).is_multiple_of(3) { 30.0 } else { 42.0 };
            canvas.rect((x + 7.0, 374.0 + row as f32 * 12.0), (width, 4.0), rgb(0xb8bec6));
        }
        canvas.oval((x + 28.0, 364.0), (4.0, 4.0), rgb(0xc8402f));
    }
}

fn draw_cabinets(canvas: &mut Canvas, variant: &Variant) {
    let body = mix(variant.wall.1, rgb(0x6d7b86), 0.75);
    canvas.glow((1420.0, FLOOR + 12.0), (300.0, 34.0), alpha(BLACK, 90));
    for column in 0..3 {
        let x = 1210.0 + column as f32 * 132.0;
        canvas.rect_down((x, 356.0), (126.0, FLOOR - 352.0), mix(body, WHITE, 0.18), body);
        for drawer in 0..4 {
            let y = 366.0 + drawer as f32 * 56.0;
            canvas.rect((x + 8.0, y), (110.0, 48.0), mix(body, WHITE, 0.28));
            canvas.round((x + 44.0, y + 28.0), (38.0, 8.0), 4.0, mix(body, BLACK, 0.4));
            canvas.rect((x + 42.0, y + 8.0), (42.0, 14.0), rgb(0xf5f3e6));
        }
    }
    // Files on top.
    for (i, ink) in [0x2f6db3, 0xb3452f, 0x3d8a5a, 0xc79a35, 0x2f6db3, 0x77509b].into_iter().enumerate() {
        canvas.rect((1222.0 + i as f32 * 22.0, 300.0), (19.0, 56.0), rgb(ink));
        canvas.rect((1226.0 + i as f32 * 22.0, 310.0), (11.0, 18.0), rgb(0xf5f3e6));
    }
}

fn draw_plant(canvas: &mut Canvas, foot: (f32, f32)) {
    canvas.glow(foot, (90.0, 18.0), alpha(BLACK, 100));
    for (dx, dy, tip) in [
        (-70.0, -190.0, 0x3c7d45),
        (-36.0, -236.0, 0x4b9153),
        (8.0, -256.0, 0x3c7d45),
        (52.0, -222.0, 0x5aa05f),
        (76.0, -160.0, 0x4b9153),
    ] {
        let (x, y) = (foot.0 + dx, foot.1 + dy);
        canvas.poly(
            &[
                (foot.0 - 8.0, foot.1 - 70.0),
                (x - 18.0, y + 40.0),
                (x, y),
                (x + 20.0, y + 50.0),
                (foot.0 + 8.0, foot.1 - 70.0),
            ],
            rgb(tip),
        );
    }
    canvas.poly_down(
        &[
            (foot.0 - 44.0, foot.1 - 80.0),
            (foot.0 + 44.0, foot.1 - 80.0),
            (foot.0 + 32.0, foot.1),
            (foot.0 - 32.0, foot.1),
        ],
        (foot.1 - 80.0, rgb(0xd8d2c6)),
        (foot.1, rgb(0xa39c8e)),
    );
}

fn draw_sign(canvas: &mut Canvas, fonts: &Fonts, variant: &Variant) {
    canvas.round((524.0, 166.0), (904.0, 116.0), 10.0, alpha(BLACK, 60));
    canvas.round((520.0, 160.0), (904.0, 116.0), 10.0, variant.sign.0);
    canvas.round((528.0, 168.0), (888.0, 100.0), 6.0, mix(variant.sign.0, WHITE, 0.08));
    canvas.text(&fonts.bold, 38.0, (972.0, 220.0), Align::Middle, ("BỘ PHẬN TIẾP NHẬN VÀ TRẢ KẾT QUẢ", variant.sign.1));
    canvas.text(&fonts.plain, 22.0, (972.0, 254.0), Align::Middle, (variant.field, mix(variant.sign.1, WHITE, 0.4)));
}

/// The counter with what stands on it, and the glass above; everything else of this layer stays empty.
pub(super) fn draw_front(canvas: &mut Canvas, fonts: &Fonts, variant: &Variant) {
    let wood = variant.counter;
    // Top and front of the counter.
    canvas.poly_down(
        &[(0.0, DESK_BACK), (WIDTH, DESK_BACK), (WIDTH, DESK_FRONT), (0.0, DESK_FRONT)],
        (DESK_BACK, mix(wood, WHITE, 0.28)),
        (DESK_FRONT, mix(wood, WHITE, 0.45)),
    );
    for i in 0..7 {
        let y = DESK_BACK + 10.0 + i as f32 * 19.0;
        canvas.line(&[(0.0, y), (WIDTH, y + 6.0)], 1.5, alpha(wood, 90));
    }
    canvas.glow((900.0, 724.0), (520.0, 60.0), alpha(WHITE, 70));
    canvas.rect((0.0, DESK_FRONT), (WIDTH, 18.0), mix(wood, BLACK, 0.25));
    canvas.rect_down((0.0, DESK_FRONT + 18.0), (WIDTH, 280.0), mix(wood, BLACK, 0.08), mix(wood, BLACK, 0.45));
    for i in 0..6 {
        let x = 40.0 + i as f32 * 330.0;
        canvas.round((x, 846.0), (300.0, 250.0), 8.0, alpha(WHITE, 16));
    }
    canvas.rect((0.0, 826.0), (WIDTH, 8.0), variant.sign.0);
    draw_glass(canvas);
    draw_desk_things(canvas);
    // The plate on the front, where the citizen does not hide it.
    canvas.round((1184.0, 872.0), (336.0, 128.0), 12.0, alpha(BLACK, 70));
    canvas.round((1180.0, 866.0), (336.0, 128.0), 12.0, rgb(0xf7f5ee));
    canvas.round((1188.0, 874.0), (320.0, 112.0), 8.0, variant.sign.0);
    canvas.text(&fonts.bold, 58.0, (1348.0, 944.0), Align::Middle, (variant.counter_name, variant.sign.1));
    canvas.text(
        &fonts.plain,
        21.0,
        (1348.0, 974.0),
        Align::Middle,
        ("Kính chào quý khách", mix(variant.sign.1, WHITE, 0.4)),
    );
}

fn draw_glass(canvas: &mut Canvas) {
    let frame = rgb(0xa9b4ba);
    for (x, width) in [(96.0, 560.0), (1160.0, 620.0)] {
        canvas.rect((x, 408.0), (width, DESK_BACK + 14.0 - 408.0), alpha(rgb(0xd9f0f2), 34));
        canvas.poly(
            &[(x + 60.0, 408.0), (x + 150.0, 408.0), (x + 30.0, 680.0), (x, 680.0), (x, 540.0)],
            alpha(WHITE, 36),
        );
        canvas.poly(
            &[
                (x + width - 90.0, 408.0),
                (x + width - 60.0, 408.0),
                (x + width - 180.0, 680.0),
                (x + width - 210.0, 680.0),
            ],
            alpha(WHITE, 30),
        );
    }
    // Above the opening the pane goes on; below it hands and papers pass.
    canvas.rect((656.0, 408.0), (504.0, 52.0), alpha(rgb(0xd9f0f2), 34));
    canvas.rect((90.0, 400.0), (1696.0, 9.0), frame);
    for x in [90.0, 650.0, 1156.0, 1778.0] {
        canvas.rect_down((x, 400.0), (8.0, DESK_BACK + 18.0 - 400.0), mix(frame, WHITE, 0.4), frame);
    }
    canvas.rect((656.0, 456.0), (502.0, 5.0), frame);
}

fn draw_desk_things(canvas: &mut Canvas) {
    // The monitor stands with its back to us, at the officer's side.
    canvas.glow((1300.0, 704.0), (150.0, 26.0), alpha(BLACK, 110));
    canvas.poly(&[(1284.0, 640.0), (1316.0, 640.0), (1322.0, 700.0), (1278.0, 700.0)], rgb(0x3a4047));
    canvas.round((1240.0, 694.0), (120.0, 14.0), 7.0, rgb(0x4a5159));
    canvas.round((1172.0, 490.0), (256.0, 168.0), 10.0, rgb(0x2b3036));
    canvas.rect_down((1180.0, 498.0), (240.0, 152.0), rgb(0x4a525b), rgb(0x343a41));
    canvas.oval((1300.0, 574.0), (14.0, 14.0), rgb(0x5d6670));
    // A tray with files, a pen holder, a stamp pad, a name plate.
    canvas.glow((420.0, 742.0), (150.0, 26.0), alpha(BLACK, 90));
    for (i, ink) in [0x2f6db3, 0xe9e4d6, 0xc25b3f, 0xf3efe4].into_iter().enumerate() {
        let y = 728.0 - i as f32 * 11.0;
        canvas.poly(&[(318.0, y), (500.0, y - 6.0), (522.0, y + 10.0), (336.0, y + 18.0)], rgb(ink));
    }
    canvas.round((1104.0, 682.0), (34.0, 52.0), 6.0, rgb(0x39424b));
    for (dx, ink) in [(6.0, 0x1f5fae), (14.0, 0xc0392b), (23.0, 0x222222)] {
        canvas.line(&[(1104.0 + dx, 690.0), (1100.0 + dx * 1.3, 646.0)], 4.0, rgb(ink));
    }
    canvas.poly(&[(1040.0, 728.0), (1092.0, 726.0), (1098.0, 744.0), (1042.0, 746.0)], rgb(0x7b1f24));
    canvas.poly(&[(1046.0, 730.0), (1087.0, 729.0), (1091.0, 740.0), (1048.0, 742.0)], rgb(0xc8323a));
    canvas.poly(&[(556.0, 770.0), (660.0, 762.0), (664.0, 784.0), (560.0, 792.0)], alpha(BLACK, 60));
}
