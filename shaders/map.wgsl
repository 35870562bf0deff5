// Elementwise: r[i] = f(a0[…], a1[…], …) for i < FLAT. The bindings b0, b1, … and the statements
// are written by the ops; a chain of them shares one pass.
${USES}
@compute @workgroup_size(WG)
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
    let i = flat(id);
    if (i >= FLAT) { return; }
    ${BODY}
}
