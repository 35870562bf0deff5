//! The lines of Python that put a file of weights saved by the page into the script's model.
use super::file_name;
use super::groups::{self, Row};
use super::lines::string;
use super::net::Net;
use crate::spec::Framework;

/// The lines for a script in the spec's own framework, under whose names the page writes its weights;
/// None for the other.
pub(super) fn loader(net: &Net, framework: Framework) -> Option<String> {
    if net.spec.framework != framework {
        return None;
    }
    let file = string(&file_name(net.spec, "safetensors"));
    Some(match framework {
        Framework::Pytorch => {
            let mut names = net.names.clone();
            for row in groups::rows(net, |_| true, &[], &groups::outside(net)) {
                let Row::Group(group) = row else { continue };
                for name in &mut names[group.range] {
                    *name = format!("{}.{name}", group.name);
                }
            }
            let layers = net.spec.layers.iter().zip(&names);
            let renamed: Vec<String> = layers
                .filter(|(layer, name)| layer.id != **name)
                .map(|(layer, name)| format!("{}: {}", string(&layer.id), string(name)))
                .collect();
            let load = format!(
                "# After net = Net().to(device):\n\
                 from safetensors.torch import load_file\n\n\
                 tensors = load_file({file})\n"
            );
            let rename = match renamed.is_empty() {
                true => String::new(),
                false => format!(
                    "renamed = {{{}}}  # called otherwise in this script\n\
                     parts = ((name.partition(\".\"), t) for name, t in tensors.items())\n\
                     tensors = {{renamed.get(layer, layer) + dot + rest: t for (layer, dot, rest), t in parts}}\n",
                    renamed.join(", ")
                ),
            };
            format!("{load}{rename}net.load_state_dict(tensors)\n")
        }
        Framework::Keras => format!(
            "# After model = build_model():\n\
             from safetensors.numpy import load_file\n\n\
             tensors = load_file({file})\n\
             for variable in model.weights:\n\
             \x20   for name, values in tensors.items():\n\
             \x20       if f\"/{{variable.path}}\".endswith(f\"/{{name}}\"):\n\
             \x20           variable.assign(values.reshape(variable.shape))\n"
        ),
    })
}
