// Sums and maxima over the WG invocations of a workgroup; every one of them gets the result. The
// order is always the same.
var<workgroup> shared_values: array<f32, WG>;

fn group_sum(lane: u32, v: f32) -> f32 {
    workgroupBarrier();
    shared_values[lane] = v;
    for (var span = WG / 2u; span > 0u; span = span / 2u) {
        workgroupBarrier();
        if (lane < span) {
            shared_values[lane] = shared_values[lane] + shared_values[lane + span];
        }
    }
    workgroupBarrier();
    return shared_values[0];
}

fn group_max(lane: u32, v: f32) -> f32 {
    workgroupBarrier();
    shared_values[lane] = v;
    for (var span = WG / 2u; span > 0u; span = span / 2u) {
        workgroupBarrier();
        if (lane < span) {
            shared_values[lane] = larger(shared_values[lane], shared_values[lane + span]);
        }
    }
    workgroupBarrier();
    return shared_values[0];
}

// As `max`, but a NaN wins.
fn larger(a: f32, b: f32) -> f32 { return select(b, a, a > b || a != a); }
