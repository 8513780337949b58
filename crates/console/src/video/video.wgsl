// A picture of three planes (Y, Cb, Cr) into a rectangle, converted to RGB.

struct Tile {
    // Factors of Y, Cb, Cr and an offset, for red, green and blue.
    red: vec4<f32>,
    green: vec4<f32>,
    blue: vec4<f32>,
    // The part of the picture to show: left, top, width, height, each 0 to 1.
    part: vec4<f32>,
    // x: 1 when the target stores linear light.
    flags: vec4<u32>,
};

@group(0) @binding(0) var<uniform> tile: Tile;
@group(0) @binding(1) var luma: texture_2d<f32>;
@group(0) @binding(2) var blue_difference: texture_2d<f32>;
@group(0) @binding(3) var red_difference: texture_2d<f32>;
@group(0) @binding(4) var smooth_sampler: sampler;

struct Corner {
    @builtin(position) position: vec4<f32>,
    @location(0) uv: vec2<f32>,
};

@vertex
fn vs_main(@builtin(vertex_index) index: u32) -> Corner {
    // Two triangles: 0 1 2, 2 1 3 of the unit square.
    let order = array<u32, 6>(0u, 1u, 2u, 2u, 1u, 3u);
    var corners = order;
    let corner = corners[index];
    let unit = vec2<f32>(f32(corner & 1u), f32(corner >> 1u));
    var out: Corner;
    out.position = vec4<f32>(unit.x * 2.0 - 1.0, 1.0 - unit.y * 2.0, 0.0, 1.0);
    out.uv = tile.part.xy + unit * tile.part.zw;
    return out;
}

fn linear_from_gamma(rgb: vec3<f32>) -> vec3<f32> {
    let cutoff = rgb < vec3<f32>(0.04045);
    let lower = rgb / vec3<f32>(12.92);
    let higher = pow((rgb + vec3<f32>(0.055)) / vec3<f32>(1.055), vec3<f32>(2.4));
    return select(higher, lower, cutoff);
}

@fragment
fn fs_main(in: Corner) -> @location(0) vec4<f32> {
    let yuv1 = vec4<f32>(
        textureSample(luma, smooth_sampler, in.uv).r,
        textureSample(blue_difference, smooth_sampler, in.uv).r,
        textureSample(red_difference, smooth_sampler, in.uv).r,
        1.0,
    );
    let rgb = clamp(
        vec3<f32>(dot(tile.red, yuv1), dot(tile.green, yuv1), dot(tile.blue, yuv1)),
        vec3<f32>(0.0),
        vec3<f32>(1.0),
    );
    let stored = select(rgb, linear_from_gamma(rgb), tile.flags.x == 1u);
    return vec4<f32>(stored, 1.0);
}
