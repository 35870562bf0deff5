// Kernels that work on ROWS rows: with WIDE a workgroup of WG on each, else an invocation.
#if WIDE
#use group
const LANES = WG;
fn row_of(id: vec3<u32>, group: vec3<u32>) -> u32 { return group.x + group.y * STRIDE; }
fn row_sum(lane: u32, v: f32) -> f32 { return group_sum(lane, v); }
fn row_max(lane: u32, v: f32) -> f32 { return group_max(lane, v); }
#else
const LANES = 1u;
fn row_of(id: vec3<u32>, group: vec3<u32>) -> u32 { return id.x + id.y * STRIDE; }
fn row_sum(lane: u32, v: f32) -> f32 { return v; }
fn row_max(lane: u32, v: f32) -> f32 { return v; }
fn larger(a: f32, b: f32) -> f32 { return select(b, a, a > b || a != a); }
#end
fn lane_of(local: u32) -> u32 { return local % LANES; }
