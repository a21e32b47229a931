"""Raw files that a power failure leaves are complete, and what `fetch` has reported stays."""

from __future__ import annotations

from pathlib import Path

from tests.synchronisation.lake import ACCOUNT, data, names, options_for, server
from tests.system.power.recorder import Recorder
from tests.system.power.states import states
from tests.system.power.trace import File
from wsparquet.synchronisation import FetchOptions, fetch


def test_a_raw_file_has_its_name_only_when_its_data_is_durable(tmp_path: Path) -> None:
    """The next run takes a file by its name alone: in no state is it damaged, and after the end none is missing."""
    world = tmp_path.resolve() / "world"
    world.mkdir()
    recorded = Recorder(world)
    with server(hours=2) as emulator:
        given = options_for(emulator)
        options = FetchOptions(account=ACCOUNT, credentials=given.credentials, api=given.api)
        with recorded.recording():
            assert len(fetch(str(world / "raw"), options=options).downloaded) == len(names(emulator))
        wanted = {f"raw/account/{ACCOUNT}/{name}": data(emulator, name) for name in names(emulator)}
    found = states(recorded.trace)
    assert len(found) > len(wanted) >= 2
    for state in found:
        files = {path: (node, kept) for path, node, kept in state.places if isinstance(node, File)}
        whole = {path: node.data for path, (node, kept) in files.items() if not kept}
        visible = {path for path in files if not path.endswith(".partial")}
        assert visible <= wanted.keys()
        assert {path: whole.get(path) for path in visible} == {path: wanted[path] for path in visible}
        assert not state.done or visible == wanted.keys()
