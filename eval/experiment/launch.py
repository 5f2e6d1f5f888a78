"""`accelerate launch` for a step of an experiment: at Ctrl-C it waits for the step, which saves what it has.

accelerate's own ends at once, with a traceback between our messages. Called as that one is:
python -m eval.experiment.launch --config_file configs/accelerate/cpu.yaml finetune/train.py ...
"""

import signal

from accelerate.commands.launch import main

if __name__ == "__main__":
    # A handler, not SIG_IGN, which the step would inherit: it has had the Ctrl-C as well, and ends by it.
    signal.signal(signal.SIGINT, lambda *_: None)
    main()
