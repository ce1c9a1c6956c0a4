import os
import re
import shlex
import shutil
import subprocess
import sys

import numpy as np
import pytest
from dustmaps import bayestar, config, marshall, sfd

from msaestimator.dust import add_reddening
from msaestimator.exceptions import DustMapError, MissingDependencyError

MODULES = {"sfd": sfd, "bayestar": bayestar, "marshall": marshall}


def python_code(message):
    """Return the code of the command that a message tells to run."""
    python, option, code = shlex.split(re.search(r"python -c \"[^\"]*\"", message)[0])
    assert (python, option) == ("python", "-c")
    return code


@pytest.fixture
def configured(tmp_path, monkeypatch):
    """dustmaps configured with an empty data folder, and a configuration file that is not ours."""
    monkeypatch.setattr(config.config, "_options", {"data_dir": str(tmp_path / "data")})
    monkeypatch.setattr(config.config, "fname", str(tmp_path / "dustmapsrc"))
    return tmp_path / "data"


@pytest.mark.parametrize("name", ["bayestar", "marshall", "combined"])
def test_an_absent_map_is_an_error_with_the_command(sky, tmp_path, name):
    first = "marshall" if name == "combined" else name
    with pytest.raises(DustMapError, match=rf"{first!r} .*must be in {tmp_path}.*Fetch it with"):
        add_reddening(sky, name, map_dir=tmp_path)


@pytest.mark.parametrize("name", ["bayestar", "marshall"])
@pytest.mark.parametrize("choose", [True, False], ids=["map_dir", "configured"])
def test_the_command_puts_the_map_where_it_is_looked_for(
    sky, map_dir, configured, tmp_path, monkeypatch, name, choose
):
    def fetch():
        target = sfd.data_dir()
        shutil.copytree(map_dir / name, os.path.join(target, name))

    monkeypatch.setattr(MODULES[name], "fetch", fetch)
    folder = tmp_path / "my maps" if choose else None
    with pytest.raises(DustMapError) as error:
        add_reddening(sky, name, map_dir=folder)
    exec(python_code(str(error.value)), {})
    assert (tmp_path / ("my maps" if choose else "data") / name).is_dir()
    np.testing.assert_array_equal(
        add_reddening(sky, name, map_dir=folder)["ebv"],
        add_reddening(sky, name, map_dir=map_dir)["ebv"],
    )


def test_a_map_in_the_home_folder(sky, map_dir, monkeypatch):
    monkeypatch.setenv("HOME", str(map_dir))
    np.testing.assert_array_equal(
        add_reddening(sky, "sfd", map_dir="~/sfd")["ebv"],
        add_reddening(sky, "sfd", map_dir=map_dir)["ebv"],
    )


def test_files_may_lie_in_the_folder_itself(sky, map_dir):
    np.testing.assert_array_equal(
        add_reddening(sky, "sfd", map_dir=map_dir / "sfd")["ebv"],
        add_reddening(sky, "sfd", map_dir=str(map_dir))["ebv"],
    )


def test_the_packaged_map_stands_in_for_sfd_with_a_warning(sky, configured):
    with pytest.warns(
        UserWarning, match="'sfd-lowres' stands in.*0.9 deg.*dustmaps.sfd.fetch"
    ) as w:
        stars = add_reddening(sky)
    assert w[0].filename == __file__
    np.testing.assert_array_equal(stars["ebv"], add_reddening(sky, "sfd-lowres")["ebv"])
    assert "packaged map of 0.9 deg" in stars.meta["ebv"]


def test_the_stand_in_is_named_star_by_star(sky, map_dir, tmp_path):
    for name in ("bayestar", "marshall"):
        shutil.copytree(map_dir / name, tmp_path / name)
    with pytest.warns(UserWarning, match="stands in for 'sfd'"):
        stars = add_reddening(sky, "combined", map_dir=tmp_path)
    assert set(stars["ebv_map"]) == {"marshall", "bayestar", "sfd-lowres"}


def test_without_dustmaps(sky, map_dir, monkeypatch):
    for name in ("dustmaps", *(f"dustmaps.{name}" for name in (*MODULES, "std_paths"))):
        monkeypatch.setitem(sys.modules, name, None)
    with pytest.warns(UserWarning, match=r"stands in.*pip install msaestimator\[dust\]"):
        stars = add_reddening(sky, "sfd", map_dir=map_dir)
    np.testing.assert_array_equal(stars["ebv"], add_reddening(sky, "sfd-lowres")["ebv"])
    with pytest.raises(MissingDependencyError, match=r"pip install msaestimator\[dust\]"):
        add_reddening(sky, "bayestar")


@pytest.mark.parametrize("name", MODULES)
@pytest.mark.parametrize("keep", [0.0, 0.5])
@pytest.mark.parametrize("subfolder", [True, False], ids=["subfolder", "flat"])
def test_a_truncated_map_is_named(sky, map_dir, tmp_path, name, keep, subfolder):
    root = tmp_path / "maps"
    folder = shutil.copytree(map_dir / name, root / name if subfolder else root)
    path = sorted(folder.iterdir())[0]
    path.write_bytes(path.read_bytes()[: int(keep * path.stat().st_size)])
    with pytest.raises(DustMapError, match=f"{name!r} in .* cannot be read.*Delete") as error:
        add_reddening(sky, name, map_dir=root)
    assert f"config['data_dir'] = {str(root)!r}" in python_code(str(error.value))


def test_nothing_is_printed(sky, map_dir, tmp_path, capfd):
    shutil.copytree(map_dir, tmp_path / "copy")
    add_reddening(sky, "combined", map_dir=tmp_path / "copy")
    assert capfd.readouterr() == ("", "")


def test_a_home_without_configuration_is_left_alone(map_dir, tmp_path):
    code = (
        "from msaestimator.dust import add_reddening; from astropy.table import Table; "
        "stars = Table({'ra': [1.0], 'dec': [2.0], 'parallax': [1.0]}); "
        f"add_reddening(stars, 'combined', map_dir={str(map_dir)!r})"
    )
    command = [sys.executable, "-W", "error::UserWarning", "-c", code]
    home = {"HOME": str(tmp_path), "XDG_CACHE_HOME": str(tmp_path / "cache")}
    done = subprocess.run(
        command, env=os.environ | home, capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    assert not (tmp_path / ".dustmapsrc").exists()
