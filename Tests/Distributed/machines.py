"""Two machines, as network namespaces of this one, joined by a cable that is pulled out. Needs the right to make them (root)."""
import subprocess

from failures import failing

NAMES = ("sedd-trial-a", "sedd-trial-b")
ADDRESSES = ("10.231.7.1", "10.231.7.2")


def ip(*words, check=True):
    return subprocess.run(["ip", *words], check=check, capture_output=True, text=True)


def possible():
    """The reason why the trial is impossible, or None."""
    try:
        remove()
        ip("netns", "add", NAMES[0])
        ip("netns", "del", NAMES[0])
        return None
    except (OSError, subprocess.CalledProcessError) as error:
        return getattr(error, "stderr", "") or str(error)


def remove():
    for name in NAMES:
        ip("netns", "del", name, check=False)


def make():
    for name in NAMES:
        ip("netns", "add", name)
        ip("-n", name, "link", "set", "lo", "up")
    ip("link", "add", "sedd-veth-a", "netns", NAMES[0], "type", "veth", "peer", "name", "sedd-veth-b", "netns", NAMES[1])
    for name, address, device in zip(NAMES, ADDRESSES, ("sedd-veth-a", "sedd-veth-b")):
        ip("-n", name, "addr", "add", f"{address}/24", "dev", device)
        ip("-n", name, "link", "set", device, "up")


def test(sedd, data, folder):
    """Two processes on each machine; the cable is pulled without notice."""
    try:
        make()
        failing(
            sedd, data, folder, "the cable between two machines of two pulled", 4,
            lambda group: ip("-n", NAMES[1], "link", "set", "sedd-veth-b", "down"), [0, 1, 2, 3],
            prefix=lambda rank: ("ip", "netns", "exec", NAMES[rank // 2]), host=ADDRESSES[0])
    finally:
        remove()
