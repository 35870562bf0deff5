// Which of FLAT elements an invocation works on; STRIDE are the invocations of one row of
// workgroups.
fn flat(id: vec3<u32>) -> u32 { return id.x + id.y * STRIDE; }
