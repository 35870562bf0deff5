//! The device: found once per thread, shared by all networks, replaced when it is lost.
use crate::backend::EngineError;
use std::cell::{Cell, RefCell};
use std::collections::HashMap;
use std::mem::ManuallyDrop;
use std::rc::Rc;
use std::sync::{Arc, Mutex, PoisonError};

/// What kind of GPU there is.
#[derive(Clone, Debug, PartialEq)]
pub struct Adapter {
    pub name: String,
    pub driver: String,
    /// Whether it computes on the CPU after all.
    pub software: bool,
}

/// The first thing that went wrong on a device, told by callbacks of any thread.
#[derive(Clone, Default)]
pub struct Faults(Arc<Mutex<Option<EngineError>>>);

impl Faults {
    /// Gives the first one.
    pub fn report(&self, e: EngineError) -> EngineError {
        let mut first = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        first.get_or_insert(e).clone()
    }
    pub fn get(&self) -> Option<EngineError> {
        let first = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        first.clone()
    }
}

/// A kernel's bindings by whether they are writable, and whether it asks for the step.
type Layout = (Vec<bool>, bool);

pub struct Gpu {
    pub adapter: Adapter,
    /// Whether kernels are made whose invocations share nothing, see [`super::Kernels::alone`].
    pub alone: Cell<bool>,
    pub device: wgpu::Device,
    pub queue: wgpu::Queue,
    pub limits: wgpu::Limits,
    pub faults: Faults,
    pub step_layout: wgpu::BindGroupLayout,
    layouts: RefCell<HashMap<Layout, (wgpu::BindGroupLayout, wgpu::PipelineLayout)>>,
    pipelines: RefCell<HashMap<String, wgpu::ComputePipeline>>,
    /// Buffers, bind groups and pipelines made so far.
    made: Cell<u64>,
    live: Cell<u64>,
}

/// Pipelines that are kept for the next network; more are forgotten all at once.
const PIPELINES: usize = 2048;

thread_local! {
    // Never dropped by the thread's end: wgpu has thread-locals of its own, which may be gone.
    static CURRENT: RefCell<ManuallyDrop<Option<Rc<Gpu>>>> =
        const { RefCell::new(ManuallyDrop::new(None)) };
}

impl Gpu {
    /// The device in use, or a new one where there is none or it was lost.
    pub async fn get() -> Result<Rc<Gpu>, EngineError> {
        let current = CURRENT.with_borrow(|c| Option::clone(c));
        if let Some(gpu) = current.filter(|g| g.faults.get().is_none()) {
            return Ok(gpu);
        }
        let gpu = Rc::new(Gpu::open().await?);
        CURRENT.with_borrow_mut(|c| **c = Some(gpu.clone()));
        Ok(gpu)
    }

    async fn open() -> Result<Gpu, EngineError> {
        let none = |e: &dyn std::fmt::Display| EngineError::NoGpu {
            detail: e.to_string(),
        };
        let instance = wgpu::Instance::new(wgpu::InstanceDescriptor::new_without_display_handle());
        let options = wgpu::RequestAdapterOptions {
            power_preference: wgpu::PowerPreference::HighPerformance,
            ..Default::default()
        };
        let found = instance.request_adapter(&options).await;
        let found = found.map_err(|e| none(&e))?;
        let limits = found.limits();
        let (device, queue) = found
            .request_device(&wgpu::DeviceDescriptor {
                label: Some("nabla"),
                required_limits: limits.clone(),
                ..Default::default()
            })
            .await
            .map_err(|e| none(&e))?;
        let faults = Faults::default();
        let f = faults.clone();
        device.set_device_lost_callback(move |_, detail| {
            let _ = f.report(EngineError::DeviceLost { detail });
        });
        let f = faults.clone();
        device.on_uncaptured_error(Arc::new(move |e| {
            let _ = f.report(error(e));
        }));
        let uniform = |binding, dynamic, size| wgpu::BindGroupLayoutEntry {
            binding,
            visibility: wgpu::ShaderStages::COMPUTE,
            ty: wgpu::BindingType::Buffer {
                ty: wgpu::BufferBindingType::Uniform,
                has_dynamic_offset: dynamic,
                min_binding_size: std::num::NonZeroU64::new(size),
            },
            count: None,
        };
        let step_layout = device.create_bind_group_layout(&wgpu::BindGroupLayoutDescriptor {
            label: Some("step"),
            entries: &[uniform(0, true, 16), uniform(1, false, 16)],
        });
        let info = found.get_info();
        Ok(Gpu {
            alone: Cell::new(adapter(&info).software),
            adapter: adapter(&info),
            device,
            queue,
            limits,
            faults,
            step_layout,
            layouts: RefCell::default(),
            pipelines: RefCell::default(),
            made: Cell::new(0),
            live: Cell::new(0),
        })
    }

    /// Buffers, bind groups and pipelines made so far: a step must add none.
    pub fn made(&self) -> u64 {
        self.made.get()
    }
    pub fn count(&self, n: u64) {
        self.made.set(self.made.get() + n);
    }

    /// Bytes of the buffers that have not been given back.
    pub fn live(&self) -> u64 {
        self.live.get()
    }
    /// Gives a buffer back at once, and not when a collector comes by.
    pub fn give_back(&self, buffer: &wgpu::Buffer) {
        buffer.destroy();
        self.live.set(self.live.get() - buffer.size());
    }

    /// Reports an error as a driver would.
    pub fn fail(&self, detail: &str) {
        self.faults.report(EngineError::Gpu {
            detail: detail.into(),
        });
    }

    /// Loses the device as a crashed driver would.
    pub fn destroy(&self) {
        self.device.destroy();
        self.faults.report(EngineError::DeviceLost {
            detail: "destroyed".into(),
        });
    }

    pub fn buffer(&self, label: &str, bytes: u64, usage: wgpu::BufferUsages) -> wgpu::Buffer {
        self.count(1);
        self.live.set(self.live.get() + bytes);
        self.device.create_buffer(&wgpu::BufferDescriptor {
            label: Some(label),
            size: bytes,
            usage,
            mapped_at_creation: false,
        })
    }

    /// The layout of a kernel's bindings.
    pub fn layout(
        &self,
        writable: &[bool],
        step: bool,
    ) -> (wgpu::BindGroupLayout, wgpu::PipelineLayout) {
        let key = (writable.to_vec(), step);
        if let Some(found) = self.layouts.borrow().get(&key) {
            return found.clone();
        }
        let entries: Vec<wgpu::BindGroupLayoutEntry> = writable
            .iter()
            .enumerate()
            .map(|(i, w)| wgpu::BindGroupLayoutEntry {
                binding: i as u32,
                visibility: wgpu::ShaderStages::COMPUTE,
                ty: wgpu::BindingType::Buffer {
                    ty: wgpu::BufferBindingType::Storage { read_only: !w },
                    has_dynamic_offset: false,
                    min_binding_size: None,
                },
                count: None,
            })
            .collect();
        let d = &self.device;
        let group = d.create_bind_group_layout(&wgpu::BindGroupLayoutDescriptor {
            label: None,
            entries: &entries,
        });
        let mut groups = vec![Some(&group)];
        if step {
            groups.push(Some(&self.step_layout));
        }
        let pipeline = d.create_pipeline_layout(&wgpu::PipelineLayoutDescriptor {
            label: None,
            bind_group_layouts: &groups,
            immediate_size: 0,
        });
        let made = (group, pipeline);
        self.layouts.borrow_mut().insert(key, made.clone());
        made
    }

    /// Compiles a kernel, or finds it among those compiled before.
    pub fn pipeline(
        &self,
        name: &str,
        text: &str,
        layout: &wgpu::PipelineLayout,
    ) -> wgpu::ComputePipeline {
        if let Some(found) = self.pipelines.borrow().get(text) {
            return found.clone();
        }
        let made = pipeline(&self.device, name, text, layout);
        self.keep_pipeline(text, made.clone());
        made
    }

    pub fn has_pipeline(&self, text: &str) -> bool {
        self.pipelines.borrow().contains_key(text)
    }

    /// Keeps a kernel for whoever asks for it next.
    pub fn keep_pipeline(&self, text: &str, made: wgpu::ComputePipeline) {
        self.count(1);
        let mut all = self.pipelines.borrow_mut();
        if all.len() >= PIPELINES {
            all.clear();
        }
        all.insert(text.to_string(), made);
    }

    /// Forgets a kernel that did not compile.
    pub fn forget_pipelines(&self) {
        self.pipelines.borrow_mut().clear();
    }
}

/// Compiles a kernel.
pub fn pipeline(
    device: &wgpu::Device,
    name: &str,
    text: &str,
    layout: &wgpu::PipelineLayout,
) -> wgpu::ComputePipeline {
    let module = device.create_shader_module(wgpu::ShaderModuleDescriptor {
        label: Some(name),
        source: wgpu::ShaderSource::Wgsl(text.into()),
    });
    device.create_compute_pipeline(&wgpu::ComputePipelineDescriptor {
        label: Some(name),
        layout: Some(layout),
        module: &module,
        entry_point: Some("main"),
        compilation_options: wgpu::PipelineCompilationOptions {
            // Every kernel writes shared memory before it reads it.
            zero_initialize_workgroup_memory: false,
            ..Default::default()
        },
        cache: None,
    })
}

fn adapter(info: &wgpu::AdapterInfo) -> Adapter {
    let text = format!("{} {}", info.name, info.driver).to_lowercase();
    let known = ["swiftshader", "llvmpipe", "lavapipe", "basic render"];
    Adapter {
        name: info.name.clone(),
        driver: info.driver.clone(),
        software: info.device_type == wgpu::DeviceType::Cpu
            || known.iter().any(|k| text.contains(k)),
    }
}

/// wgpu's errors as ours.
pub fn error(e: wgpu::Error) -> EngineError {
    match e {
        wgpu::Error::OutOfMemory { .. } => EngineError::OutOfMemory { bytes: 0 },
        wgpu::Error::Validation { description, .. } | wgpu::Error::Internal { description, .. } => {
            EngineError::Gpu {
                detail: description,
            }
        }
    }
}
