// One step of the optimiser over whole slabs: p[n], state s0[n], s1[n] in place, from g[n], the
// learning rate of this step and the hyper-parameters; n is COUNT, of which an invocation takes every
// FLAT-th. Formulas as in ops/optimizer.rs.
#write p: array<f32>
#if ONE_STATE
#write s0: array<f32>
#end
#if TWO_STATES
#write s1: array<f32>
#end
#read grad: array<f32>
#read rate: array<f32>
#read hyper: array<f32>
#use flat
#use math
#step

// 1 − β of a decay rate as it was written, the nearest number of 7 decimals: 1 − 0.999 in f32 would
// be off by 5e-5 of its value.
fn rest_of(beta: f32) -> f32 { return (10000000.0 - round(beta * 10000000.0)) * 1e-7; }

// 1 − βᵗ, from rest = 1 − β.
fn correction(rest: f32, t: f32) -> f32 {
    return select(-expm1_(t * log1p_(-rest)), 1.0, rest >= 1.0);
}

@compute @workgroup_size(WG)
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
    let begin = flat(id);
    if (begin >= FLAT) { return; }
    let lr = rate[step_index()];
    let decay = hyper[WEIGHT_DECAY_AT];
    let eps = hyper[EPSILON_AT];
#if ADAM
    let o1 = rest_of(hyper[BETA1_AT]);
    let o2 = rest_of(hyper[BETA2_AT]);
    let t = f32(step_number() + 1u);
    let c1 = correction(o1, t);
    let c2 = sqrt(correction(o2, t));
#end
    for (var i = begin; i < COUNT; i += FLAT) {
        var w = p[i];
        var g = grad[i];
#if DECOUPLED
        w = w - lr * decay * w;
#else
        g = g + decay * w;
#end
#if SGD
#if MOMENTUM
        let mu = hyper[MOMENTUM_AT];
#if KERAS
        let b = mu * s0[i] - lr * g;
#if NESTEROV
        w = w + (mu * b - lr * g);
#else
        w = w + b;
#end
#else
        let b = mu * s0[i] + g;
#if NESTEROV
        w = w - lr * (g + mu * b);
#else
        w = w - lr * b;
#end
#end
        s0[i] = b;
#else
        w = w - lr * g;
#end
#end
#if RMSPROP
        let rho = hyper[RHO_AT];
        let v = rho * s0[i] + rest_of(rho) * g * g;
        s0[i] = v;
#if KERAS
        var d = lr * g / sqrt(v + eps);
#else
        var d = g / (sqrt(v) + eps);
#end
#if MOMENTUM
        d = hyper[MOMENTUM_AT] * s1[i] + d;
        s1[i] = d;
#end
#if KERAS
        w = w - d;
#else
        w = w - lr * d;
#end
#end
#if ADAGRAD
        let s = s0[i] + g * g;
        s0[i] = s;
#if KERAS
        w = w - lr * g / sqrt(s + eps);
#else
        w = w - lr * g / (sqrt(s) + eps);
#end
#end
#if ADAM
        let m = s0[i] + o1 * (g - s0[i]);
        let v = hyper[BETA2_AT] * s1[i] + o2 * g * g;
        s0[i] = m;
        s1[i] = v;
#if KERAS
        w = w - lr * c2 / c1 * m / (sqrt(v) + eps);
#else
        w = w - lr / c1 * m / (sqrt(v) / c2 + eps);
#end
#end
        p[i] = w;
    }
}
