"""Runs the Optuna studies that Nabla exports, unchanged but for fewer trials and epochs. First:

    NABLA_EXPORT=/tmp/exported cargo test --test interop export_studies

then `python studies.py /tmp/exported`; names after the folder run only those.
"""

import os
import re
import runpy
import sys
import warnings
from pathlib import Path

os.environ.setdefault("KERAS_BACKEND", "jax")
os.environ.setdefault("JAX_PLATFORMS", "cpu")
warnings.filterwarnings("ignore")


def main():
    import optuna

    from exported import stand_ins

    stand_ins()
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    folder, wanted = Path(sys.argv[1]), sys.argv[2:]
    for path in sorted(folder.glob("*.study.py")):
        name = path.name.removesuffix(".study.py")
        if wanted and name not in wanted:
            continue
        text = path.read_text()
        text = re.sub(r"^EPOCHS = .*$", "EPOCHS = 4", text, count=1, flags=re.M)
        text = re.sub(r"^TRIALS = .*$", "TRIALS = 9", text, count=1, flags=re.M)
        short = folder / f"{name}.short.py"
        short.write_text(text)
        print(f"== {name}")
        runpy.run_path(str(short), run_name="__main__")


if __name__ == "__main__":
    main()
