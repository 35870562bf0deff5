"""Traces of Keras on JAX."""

import os
import sys

os.environ["KERAS_BACKEND"] = "jax"

import jax
import keras
import numpy as np

import common
from cases import all_cases

VERSIONS = {"keras": keras.__version__, "jax": jax.__version__}


def window(l):
    stride = l["stride"]
    return dict(strides=tuple(stride) if isinstance(stride, list) else stride, padding=l["padding"])


def layer(l, spec, rank):
    """`rank` is that of the layer's input, with the batch."""
    k = keras.layers
    name = dict(name=l["id"])
    size = lambda v: tuple(v) if isinstance(v, list) else v
    match l["kind"]:
        case "linear":
            penalty = keras.regularizers.L1L2(spec["train"]["l1"], spec["train"]["l2"])
            return k.Dense(
                l["units"], l["activation"], use_bias=l["bias"], kernel_regularizer=penalty, **name
            )
        case "activation":
            return k.Activation(l["function"], **name)
        case "flatten":
            return k.Flatten(**name)
        case "conv1d" | "conv2d":
            kind = k.Conv1D if l["kind"] == "conv1d" else k.Conv2D
            more = dict(dilation_rate=size(l["dilation"]), groups=l["groups"], use_bias=l["bias"])
            return kind(
                l["filters"], size(l["kernel"]), activation=l["activation"], **window(l), **more, **name
            )
        case "conv_transpose2d":
            return k.Conv2DTranspose(
                l["filters"], size(l["kernel"]), activation=l["activation"], **window(l), **name
            )
        case "max_pool1d":
            return k.MaxPooling1D(l["kernel"], **window(l), **name)
        case "max_pool2d":
            return k.MaxPooling2D(l["kernel"], **window(l), **name)
        case "avg_pool2d":
            return k.AveragePooling2D(l["kernel"], **window(l), **name)
        case "global_avg_pool":
            return (k.GlobalAveragePooling1D if rank == 3 else k.GlobalAveragePooling2D)(**name)
        case "global_max_pool":
            return (k.GlobalMaxPooling1D if rank == 3 else k.GlobalMaxPooling2D)(**name)
        case "upsample":
            return k.UpSampling2D(size(l["factor"]), **name)
        case "batch_norm":
            return k.BatchNormalization(**name)
        case "layer_norm":
            return k.LayerNormalization(**name)
        case "rms_norm":
            return k.RMSNormalization(**name)


def network(spec, shape):
    """The model; with a dropout layer it takes the mask as a second input. Images come with
    their channels first."""
    inputs = [keras.Input(shape)]
    x = inputs[0]
    if len(shape) == 3:
        x = keras.layers.Permute((2, 3, 1))(x)
    for l in spec["layers"]:
        if l["kind"] == "dropout":
            inputs.append(keras.Input(x.shape[1:]))
            x = keras.layers.Multiply(name=l["id"])([x, inputs[1]])
        else:
            x = layer(l, spec, len(x.shape))(x)
    return keras.Model(inputs if len(inputs) > 1 else inputs[0], x)


class AddRows(keras.layers.Layer):
    """x plus one row for each step."""

    def build(self, shape):
        self.embeddings = self.add_weight(shape=shape[1:], name="embeddings")

    def call(self, x):
        return x + self.embeddings


def sequence(spec, shape):
    """A model of layers over sequences."""
    cells = {"lstm": keras.layers.LSTM, "gru": keras.layers.GRU, "rnn": keras.layers.SimpleRNN}
    start = x = keras.Input(shape)
    values = {}
    for l in spec["layers"]:
        inputs, id = [values[i] for i in l["inputs"]] or [x], l["id"]
        x = inputs[0]
        match l["kind"]:
            case "embedding":
                x = keras.layers.Embedding(l["vocab"], l["dim"], name=id)(x)
            case "positional_embedding":
                x = AddRows(name=id)(x)
            case "lstm" | "gru" | "rnn" as kind:
                more = {"activation": l["activation"]} if kind == "rnn" else {}
                own = cells[kind](
                    l["units"],
                    return_sequences=l["return_sequences"],
                    # Keras' scan of a SimpleRNN mixes float32 into float64.
                    unroll=kind == "rnn",
                    **more,
                )
                x = (keras.layers.Bidirectional(own) if l["bidirectional"] else own)(x)
            case "multi_head_attention":
                own = keras.layers.MultiHeadAttention(l["heads"], x.shape[-1] // l["heads"])
                x = own(x, x, use_causal_mask=l["causal"])
            case "add":
                x = keras.layers.Add()(inputs)
            case _:
                x = layer(l, spec, len(x.shape))(x)
        values[id] = x
    return keras.Model(start, x)


def turned(name, shape):
    """Whether Keras has […, in, out] where the engine has [out, in, …]."""
    return name.endswith((".weight", "kernel")) and len(shape) >= 2


def theirs(name, v, shape):
    """A parameter in Keras' shape, from the engine's."""
    return (np.moveaxis(v, (0, 1), (-1, -2)) if turned(name, v.shape) else v).reshape(shape)


def ours(case, name, v):
    """The way back."""
    shape = next(p["shape"] for p in case["params"] if p["name"] == name)
    v = np.array(v)
    if not turned(name, shape):
        return v.reshape(shape)
    return np.moveaxis(v.reshape([*shape[2:], shape[1], shape[0]]), (-1, -2), (0, 1))


def loss_function(loss):
    match loss:
        case {"kind": "mse"}:
            return keras.losses.MeanSquaredError()
        case {"kind": "mae"}:
            return keras.losses.MeanAbsoluteError()
        case {"kind": "huber", "delta": delta}:
            return keras.losses.Huber(delta=delta)
        case {"kind": "cross_entropy", "from_logits": logits}:
            return keras.losses.CategoricalCrossentropy(from_logits=logits)
        case {"kind": "binary_cross_entropy", "from_logits": logits}:
            return keras.losses.BinaryCrossentropy(from_logits=logits)
        case {"kind": "hinge"}:
            return keras.losses.Hinge()


def optimizer(o, clip):
    common_args = {"weight_decay": o["weight_decay"] or None}
    if clip["kind"] == "global_norm":
        common_args["global_clipnorm"] = clip["max"]
    elif clip["kind"] == "value":
        common_args["clipvalue"] = clip["max"]
    lr = o["learning_rate"]
    match o["kind"]:
        case "sgd":
            return keras.optimizers.SGD(lr, o["momentum"], o["nesterov"], **common_args)
        case "rmsprop":
            return keras.optimizers.RMSprop(
                lr, o["rho"], o["momentum"], o["epsilon"], **common_args
            )
        case "adagrad":
            return keras.optimizers.Adagrad(
                lr, o["initial_accumulator"], o["epsilon"], **common_args
            )
        case "adam" | "adamw":
            kind = keras.optimizers.Adam if o["kind"] == "adam" else keras.optimizers.AdamW
            return kind(
                lr, beta_1=o["beta1"], beta_2=o["beta2"], epsilon=o["epsilon"], **common_args
            )


def prepare(case):
    """A compiled model with the case's initial weights, and its batches."""
    spec, train = case["spec"], case["spec"]["train"]
    x, y = common.samples(case["data"])
    dtype = keras.config.floatx()
    if train["loss"]["kind"] == "cross_entropy":
        y = np.eye(case["data"]["classes"])[y]
    elif case["data"].get("classes"):
        y = y[:, None]
    x, y = x.astype(dtype), y.astype(dtype)
    if case.get("sequence"):
        model = sequence(spec, x.shape[1:])
    else:
        model = network(spec, x.shape[1:])
    values = common.parameters(case).items()
    for (k, v), w in zip(values, model.trainable_variables, strict=True):
        w.assign(theirs(k, v, w.shape))
    model.compile(
        optimizer(train["optimizer"], train["clip"]), loss_function(train["loss"])
    )
    drop = next((i for i, l in enumerate(spec["layers"]) if l["kind"] == "dropout"), None)

    def batch(step):
        bx, by = common.batch(case, x, y, step)
        if drop is None:
            return bx, by
        shape = [len(bx), spec["layers"][drop - 1]["units"]]
        rate = spec["layers"][drop]["rate"]
        mask = common.dropout_mask(case["dropout"]["seed"], drop, step, shape, rate)
        return [bx, mask.astype(dtype)], by

    return model, batch


def run(case):
    names = [p["name"] for p in case["params"]]
    # Kernels are […, in, out] in Keras; traces have PyTorch's [out, in, …].
    named = lambda values: {k: ours(case, k, v) for k, v in zip(names, values)}
    model, batch = prepare(case)
    loss_fn = loss_function(case["spec"]["train"]["loss"])
    weights = case["spec"]["train"].get("class_weight")

    def weight_of(y):
        classes = y.argmax(-1) if y.shape[-1] > 1 else y[:, 0].astype("int32")
        return jax.numpy.asarray(weights, y.dtype)[classes] if weights else None

    def loss_and_state(variables, state, x, y):
        out, state, penalties = model.stateless_call(
            variables, state, x, training=True, return_losses=True
        )
        return loss_fn(y, out, weight_of(y)) + sum(penalties), state

    step_fn = jax.jit(jax.value_and_grad(loss_and_state, has_aux=True))
    state = [v.value for v in model.non_trainable_variables]
    losses, grads = [], {}
    for step in range(case["steps"]):
        now = [v.value for v in model.trainable_variables]
        (loss, state), g = step_fn(now, state, *batch(step))
        losses.append(float(loss))
        if step in case["grad_steps"]:
            # The keys' bias has a gradient of mere rounding.
            grads[step] = {k: v for k, v in named(g).items() if not k.endswith("key.bias")}
        model.optimizer.apply(g, model.trainable_variables)
    final = named(v.value for v in model.trainable_variables)
    assert all(v.dtype == keras.config.floatx() for v in final.values())
    renamed = {"moving_mean": "running_mean", "moving_variance": "running_var"}
    for v, value in zip(model.non_trainable_variables, state):
        id, name = v.path.split("/")[-2:]
        # Generators of random numbers have a state too.
        if name in renamed:
            final[f"{id}.{renamed[name]}"] = np.array(value)
    return losses, grads, final


def check(case, final):
    """Keras' own training step must lead to the same weights."""
    model, batch = prepare(case)
    for step in range(case["steps"]):
        weights = case["spec"]["train"].get("class_weight")
        model.train_on_batch(*batch(step), class_weight=weights and dict(enumerate(weights)))
    own = zip(case["params"], (v.numpy() for v in model.trainable_variables))
    own = {p["name"]: ours(case, p["name"], w) for p, w in own}
    assert common.distance(final, own) < 1e-4, case["name"]


def precision(dtype):
    keras.config.set_floatx(dtype)
    keras.config.set_dtype_policy(dtype)


def main():
    wanted = sys.argv[1:]
    for case in all_cases("keras"):
        if wanted and case["name"] not in wanted:
            continue
        run32 = run(case)
        check(case, run32[2])
        with jax.enable_x64(True):
            precision("float64")
            run64 = run(case)
            precision("float32")
        done = common.trace(case, VERSIONS, run32, run64)
        common.write(case["name"], done)
        print(case["name"], *(f"{k} {v:.1e}" for k, v in done["noise"].items()))


main()
