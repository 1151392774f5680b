"""Types lines into a shell on a terminal of its own and prints what came of them.

keyboard.py LINES SHELL [ARGUMENT...]: LINES is a JSON list of texts, each typed
when the shell prompts with READY> and ended with Enter."""
import json
import os
import pty
import sys

lines = json.loads(sys.argv[1]) + ["exit"]
pid, terminal = pty.fork()
if pid == 0:
    os.execvp(sys.argv[2], sys.argv[2:])
screen = b""
while True:
    try:
        piece = os.read(terminal, 4096)
    except OSError:
        break
    if not piece:
        break
    screen += piece
    while lines and b"READY>" in screen:
        before, screen = screen.split(b"READY>", 1)
        sys.stdout.buffer.write(before)
        os.write(terminal, lines.pop(0).encode() + b"\r")
sys.stdout.buffer.write(screen)
os.waitpid(pid, 0)
