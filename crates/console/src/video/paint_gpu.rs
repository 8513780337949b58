//! The GPU half of painting: one pipeline, three textures a tile, uploaded only when the picture has changed.

use std::collections::HashMap;
use std::num::NonZeroU64;
use std::time::Instant;

use bytemuck::{Pod, Zeroable};
use eframe::egui_wgpu::{CallbackResources, CallbackTrait, ScreenDescriptor, wgpu};
use egui::{PaintCallbackInfo, Rect};
use minhbach_decode::{ColorTransform, Plane, VideoFrame};

use super::paint::{Drawn, TileKey};

/// What the shader knows of a tile; laid out as `Tile` in `video.wgsl`.
#[derive(Debug, Clone, Copy, PartialEq, Pod, Zeroable)]
#[repr(C)]
struct Uniform {
    rows: [[f32; 4]; 3],
    part: [f32; 4],
    flags: [u32; 4],
}

/// Everything kept on the GPU; lives in egui's callback resources.
pub(super) struct Gpu {
    pipeline: wgpu::RenderPipeline,
    layout: wgpu::BindGroupLayout,
    sampler: wgpu::Sampler,
    /// The target converts to gamma by itself, so linear light has to be stored.
    linear_target: bool,
    tiles: HashMap<TileKey, Tile>,
}

struct Tile {
    size: (u32, u32),
    planes: [wgpu::Texture; 3],
    uniform: wgpu::Buffer,
    shown: Option<Uniform>,
    bind_group: wgpu::BindGroup,
    frame_id: u64,
    drawn: Option<Drawn>,
    used: u64,
}

impl Gpu {
    pub(super) fn new(device: &wgpu::Device, target: wgpu::TextureFormat) -> Self {
        let shader = device.create_shader_module(wgpu::ShaderModuleDescriptor {
            label: Some("video"),
            source: wgpu::ShaderSource::Wgsl(include_str!("video.wgsl").into()),
        });
        let layout = bind_group_layout(device);
        let pipeline_layout = device.create_pipeline_layout(&wgpu::PipelineLayoutDescriptor {
            label: Some("video"),
            bind_group_layouts: &[Some(&layout)],
            immediate_size: 0,
        });
        let pipeline = device.create_render_pipeline(&wgpu::RenderPipelineDescriptor {
            label: Some("video"),
            layout: Some(&pipeline_layout),
            vertex: wgpu::VertexState {
                module: &shader,
                entry_point: Some("vs_main"),
                compilation_options: wgpu::PipelineCompilationOptions::default(),
                buffers: &[],
            },
            primitive: wgpu::PrimitiveState::default(),
            depth_stencil: None,
            multisample: wgpu::MultisampleState::default(),
            fragment: Some(wgpu::FragmentState {
                module: &shader,
                entry_point: Some("fs_main"),
                compilation_options: wgpu::PipelineCompilationOptions::default(),
                targets: &[Some(wgpu::ColorTargetState {
                    format: target,
                    blend: None,
                    write_mask: wgpu::ColorWrites::ALL,
                })],
            }),
            multiview_mask: None,
            cache: None,
        });
        let sampler = device.create_sampler(&wgpu::SamplerDescriptor {
            label: Some("video"),
            mag_filter: wgpu::FilterMode::Linear,
            min_filter: wgpu::FilterMode::Linear,
            ..Default::default()
        });
        Self { pipeline, layout, sampler, linear_target: target.is_srgb(), tiles: HashMap::new() }
    }

    /// Drops the textures of tiles that were last drawn before that UI frame.
    pub(super) fn forget_before(&mut self, tick: u64) {
        self.tiles.retain(|_, tile| tile.used >= tick);
    }

    /// The picture that a tile has drawn last.
    pub(super) fn drawn(&self, key: TileKey) -> Option<Drawn> {
        self.tiles.get(&key).and_then(|tile| tile.drawn)
    }

    fn new_tile(&self, device: &wgpu::Device, frame: &VideoFrame) -> Tile {
        let planes = Plane::ALL.map(|plane| {
            let view = frame.plane(plane);
            device.create_texture(&wgpu::TextureDescriptor {
                label: Some("video plane"),
                size: wgpu::Extent3d { width: view.width, height: view.height, depth_or_array_layers: 1 },
                mip_level_count: 1,
                sample_count: 1,
                dimension: wgpu::TextureDimension::D2,
                format: wgpu::TextureFormat::R8Unorm,
                usage: wgpu::TextureUsages::TEXTURE_BINDING | wgpu::TextureUsages::COPY_DST,
                view_formats: &[],
            })
        });
        let uniform = device.create_buffer(&wgpu::BufferDescriptor {
            label: Some("video tile"),
            size: size_of::<Uniform>() as u64,
            usage: wgpu::BufferUsages::UNIFORM | wgpu::BufferUsages::COPY_DST,
            mapped_at_creation: false,
        });
        let views = planes.each_ref().map(|plane| plane.create_view(&wgpu::TextureViewDescriptor::default()));
        let texture = |index: usize| wgpu::BindGroupEntry {
            binding: index as u32 + 1,
            resource: wgpu::BindingResource::TextureView(&views[index]),
        };
        let bind_group = device.create_bind_group(&wgpu::BindGroupDescriptor {
            label: Some("video tile"),
            layout: &self.layout,
            entries: &[
                wgpu::BindGroupEntry { binding: 0, resource: uniform.as_entire_binding() },
                texture(0),
                texture(1),
                texture(2),
                wgpu::BindGroupEntry { binding: 4, resource: wgpu::BindingResource::Sampler(&self.sampler) },
            ],
        });
        let size = (frame.width(), frame.height());
        // Frame ids begin with 1, so the first picture is always uploaded.
        Tile { size, planes, uniform, shown: None, bind_group, frame_id: 0, drawn: None, used: 0 }
    }
}

/// Copies the planes with the decoder's own line size: no repacking on the CPU.
fn upload(queue: &wgpu::Queue, tile: &Tile, frame: &VideoFrame) {
    for (plane, texture) in Plane::ALL.into_iter().zip(&tile.planes) {
        let view = frame.plane(plane);
        queue.write_texture(
            texture.as_image_copy(),
            view.data,
            wgpu::TexelCopyBufferLayout {
                offset: 0,
                bytes_per_row: u32::try_from(view.stride).ok(),
                rows_per_image: Some(view.height),
            },
            wgpu::Extent3d { width: view.width, height: view.height, depth_or_array_layers: 1 },
        );
    }
}

fn bind_group_layout(device: &wgpu::Device) -> wgpu::BindGroupLayout {
    let texture = |binding: u32| wgpu::BindGroupLayoutEntry {
        binding,
        visibility: wgpu::ShaderStages::FRAGMENT,
        ty: wgpu::BindingType::Texture {
            sample_type: wgpu::TextureSampleType::Float { filterable: true },
            view_dimension: wgpu::TextureViewDimension::D2,
            multisampled: false,
        },
        count: None,
    };
    device.create_bind_group_layout(&wgpu::BindGroupLayoutDescriptor {
        label: Some("video tile"),
        entries: &[
            wgpu::BindGroupLayoutEntry {
                binding: 0,
                visibility: wgpu::ShaderStages::VERTEX_FRAGMENT,
                ty: wgpu::BindingType::Buffer {
                    ty: wgpu::BufferBindingType::Uniform,
                    has_dynamic_offset: false,
                    min_binding_size: NonZeroU64::new(size_of::<Uniform>() as u64),
                },
                count: None,
            },
            texture(1),
            texture(2),
            texture(3),
            wgpu::BindGroupLayoutEntry {
                binding: 4,
                visibility: wgpu::ShaderStages::FRAGMENT,
                ty: wgpu::BindingType::Sampler(wgpu::SamplerBindingType::Filtering),
                count: None,
            },
        ],
    })
}

/// One tile's picture in one UI frame.
pub(super) struct Callback {
    key: TileKey,
    frame: VideoFrame,
    part: Rect,
    tick: u64,
}

impl Callback {
    pub(super) fn new(key: TileKey, frame: VideoFrame, part: Rect, tick: u64) -> Self {
        Self { key, frame, part, tick }
    }

    fn uniform(&self, linear_target: bool) -> Uniform {
        Uniform {
            rows: ColorTransform::new(self.frame.matrix(), self.frame.range()).rows,
            part: [self.part.min.x, self.part.min.y, self.part.width(), self.part.height()],
            flags: [u32::from(linear_target), 0, 0, 0],
        }
    }
}

impl CallbackTrait for Callback {
    fn prepare(
        &self,
        device: &wgpu::Device,
        queue: &wgpu::Queue,
        _screen: &ScreenDescriptor,
        _encoder: &mut wgpu::CommandEncoder,
        resources: &mut CallbackResources,
    ) -> Vec<wgpu::CommandBuffer> {
        let Some(gpu) = resources.get_mut::<Gpu>() else {
            return Vec::new();
        };
        let size = (self.frame.width(), self.frame.height());
        if gpu.tiles.get(&self.key).is_none_or(|tile| tile.size != size) {
            let largest = device.limits().max_texture_dimension_2d;
            if size.0 > largest || size.1 > largest {
                tracing::error!(
                    width = size.0,
                    height = size.1,
                    largest,
                    "the picture is too large for the graphics card"
                );
                return Vec::new();
            }
            let tile = gpu.new_tile(device, &self.frame);
            gpu.tiles.insert(self.key, tile);
        }
        let uniform = self.uniform(gpu.linear_target);
        if let Some(tile) = gpu.tiles.get_mut(&self.key) {
            tile.used = self.tick;
            if tile.frame_id != self.frame.id() {
                upload(queue, tile, &self.frame);
                tile.frame_id = self.frame.id();
                tile.drawn = Some(Drawn { wall: self.frame.wall(), at: Instant::now() });
            }
            if tile.shown != Some(uniform) {
                queue.write_buffer(&tile.uniform, 0, bytemuck::bytes_of(&uniform));
                tile.shown = Some(uniform);
            }
        }
        Vec::new()
    }

    fn paint(
        &self,
        _info: PaintCallbackInfo,
        render_pass: &mut wgpu::RenderPass<'static>,
        resources: &CallbackResources,
    ) {
        let Some(gpu) = resources.get::<Gpu>() else {
            return;
        };
        if let Some(tile) = gpu.tiles.get(&self.key) {
            render_pass.set_pipeline(&gpu.pipeline);
            render_pass.set_bind_group(0, &tile.bind_group, &[]);
            render_pass.draw(0..6, 0..1);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use minhbach_model::WallTime;

    #[test]
    fn the_uniform_has_the_size_the_shader_expects() {
        // Five vectors of sixteen bytes.
        assert_eq!(size_of::<Uniform>(), 80);
    }

    #[test]
    fn zoom_is_passed_as_origin_and_size() {
        let frame = VideoFrame::solid(4, 4, [0, 0, 0], WallTime(0));
        let part = Rect::from_min_max(egui::pos2(0.25, 0.5), egui::pos2(0.75, 1.0));
        let uniform = Callback::new(TileKey(1), frame, part, 0).uniform(true);
        assert_eq!(uniform.part, [0.25, 0.5, 0.5, 0.5]);
        assert_eq!(uniform.flags[0], 1);
    }
}
