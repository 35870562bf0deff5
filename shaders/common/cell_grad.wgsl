// One step of unit j of a sample backwards, within a function: d the gradient of its state → da, what goes
// back to the memory, and kept, what goes straight back to the state before.
var kept = 0.0;
#if RNN
let v = h[at * UNITS + j];
#if RELU
let s = select(0.0, d, v > 0.0);
#else
let s = d * (1.0 - v * v);
#end
da[g] = s;
#if ALONE
row[r] = s;
#end
#if SHARED
now[j] = s;
#end
#end
#if LSTM
let gi = gates[g];
let gf = gates[g + UNITS];
let gg = gates[g + 2u * UNITS];
let go = gates[g + 3u * UNITS];
let tc = tanh_(c[at * UNITS + j]);
let dc = carried[memory + j] + d * go * (1.0 - tc * tc);
var old = 0.0;
if (!first) { old = c[before * UNITS + j]; }
let s = vec4<f32>(
    dc * gg * gi * (1.0 - gi), dc * old * gf * (1.0 - gf),
    dc * gi * (1.0 - gg * gg), d * tc * go * (1.0 - go));
carried[memory + j] = dc * gf;
for (var k = 0u; k < 4u; k++) {
    da[g + k * UNITS] = s[k];
#if ALONE
    row[r + k * UNITS] = s[k];
#end
#if SHARED
    now[j + k * UNITS] = s[k];
#end
}
#end
#if GRU
let gr = gates[g + RESET * UNITS];
let gz = gates[g + CHANGE * UNITS];
let gn = gates[g + 2u * UNITS];
let q = c[at * UNITS + j];
var old = 0.0;
if (!first) { old = h[before * UNITS + j]; }
let dz = d * (old - gn) * gz * (1.0 - gz);
let dn = d * (1.0 - gz) * (1.0 - gn * gn);
let dr = dn * q * gr * (1.0 - gr);
kept = d * gz;
da[g + RESET * UNITS] = dr;
da[g + CHANGE * UNITS] = dz;
da[g + 2u * UNITS] = dn;
#if ALONE
row[r + RESET * UNITS] = dr;
row[r + CHANGE * UNITS] = dz;
row[r + 2u * UNITS] = dn * gr;
#else
db[g + RESET * UNITS] = dr;
db[g + CHANGE * UNITS] = dz;
db[g + 2u * UNITS] = dn * gr;
#end
#if SHARED
now[j + RESET * UNITS] = dr;
now[j + CHANGE * UNITS] = dz;
now[j + 2u * UNITS] = dn * gr;
#end
#end
