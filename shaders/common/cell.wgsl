// One step of unit j of a sample, within a function: s the state's part of its gates, sums the input's,
// at and before the rows of this step and the last, i how many came before → next, the unit's state.
let g = at * GATES + j;
#if RNN
let sum = sums[g] + s.x + bias_of(j);
#if RELU
let next = select(sum, 0.0, sum <= 0.0);
#else
let next = tanh_(sum);
#end
#end
#if LSTM
let gi = sigmoid_(sums[g] + s.x + bias_of(j));
let gf = sigmoid_(sums[g + UNITS] + s.y + bias_of(j + UNITS));
let gg = tanh_(sums[g + 2u * UNITS] + s.z + bias_of(j + 2u * UNITS));
let go = sigmoid_(sums[g + 3u * UNITS] + s.w + bias_of(j + 3u * UNITS));
sums[g] = gi;
sums[g + UNITS] = gf;
sums[g + 2u * UNITS] = gg;
sums[g + 3u * UNITS] = go;
var memory = gi * gg;
if (i > 0u) { memory += gf * c[before * UNITS + j]; }
c[at * UNITS + j] = memory;
let next = go * tanh_(memory);
#end
#if GRU
let gr = sigmoid_(sums[g + RESET * UNITS] + s[RESET] + bias_of(j + RESET * UNITS));
let gz = sigmoid_(sums[g + CHANGE * UNITS] + s[CHANGE] + bias_of(j + CHANGE * UNITS));
let candidate = s.z + bias_of(j + 2u * UNITS);
let gn = tanh_(sums[g + 2u * UNITS] + gr * candidate);
sums[g + RESET * UNITS] = gr;
sums[g + CHANGE * UNITS] = gz;
sums[g + 2u * UNITS] = gn;
c[at * UNITS + j] = candidate;
var kept = 0.0;
#if SHARED
kept = state[old + j];
#else
if (i > 0u) { kept = h[before * UNITS + j]; }
#end
let next = (1.0 - gz) * gn + gz * kept;
#end
