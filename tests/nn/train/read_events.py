#!/usr/bin/env python3
"""Prints what TensorBoard itself reads from the event files of a run directory (needs the tensorboard package).

  read_events.py RUN_DIRECTORY      one JSON line per scalar tag (steps, values) and per picture; fails if there is none
"""
import glob
import json
import os
import sys

from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
from tensorboard.backend.event_processing.event_file_loader import EventFileLoader


def main(directory):
    files = sorted(glob.glob(os.path.join(directory, "events.*")))
    for path in files:  # the loader checks every CRC; EventAccumulator would only log a broken record
        events = list(EventFileLoader(path).Load())
        print(json.dumps({"file": os.path.basename(path), "events": len(events), "version": events[0].file_version}))
    accumulator = EventAccumulator(directory, size_guidance={"scalars": 0, "images": 0})
    accumulator.Reload()
    tags = accumulator.Tags()
    for tag in tags["scalars"]:
        rows = accumulator.Scalars(tag)
        print(json.dumps({"scalar": tag, "steps": [r.step for r in rows], "values": [r.value for r in rows]}))
    for tag in tags["images"]:
        for r in accumulator.Images(tag):
            print(json.dumps({"image": tag, "step": r.step, "width": r.width, "height": r.height}))
    return 0 if files and tags["scalars"] else 1


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    sys.exit(main(sys.argv[1]))
