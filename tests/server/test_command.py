import subprocess
import sys


def test_the_command_tells_its_version() -> None:
    run = subprocess.run([sys.executable, "-m", "server", "version"], capture_output=True, text=True, check=True)
    assert run.stdout.startswith("tongke ")
