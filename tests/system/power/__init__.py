"""Power loss, simulated: what a run does to the disk is recorded, and every state that a crash could leave is tried.

``workloads.py`` has the runs, ``recorder.py`` records them as a ``trace.py``, ``states.py`` builds the states that the
trace allows, and ``trial.py`` lets the next run start from each of them. CONTRIBUTING.md tells how to add a workload.

The model is stricter than any disk, because it promises only what POSIX promises. After a crash:

- A name in a folder is as it was when that folder was last synced, or as any later change made it. Each name is lost or
  kept on its own: changes of one folder are not in order, and neither are changes of different folders. One name takes
  its changes in order, and each change is atomic: a name that a rename replaces is the old file or the new one.
- A rename is two changes, the new name and the end of the old name, and a crash can leave either of them.
- A folder is a name in its parent. If the name is lost, all that is in the folder is lost, synced or not.
- The data of a file is complete if the file was synced; otherwise it is complete, empty, cut in half, or zeros.
- Syncing a file does not keep its name, and syncing a folder does not keep the data of its files, nor its own name.

Data that changes after its sync is not modeled: the recorder fails if it meets such a file. Modes and times survive. A
disk that breaks its word on a sync is not modeled either.
"""
