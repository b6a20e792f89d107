# Sends frames that no ordinary program sends, and says which ones arrive. Standard library only.
#   frames.py send INTERFACE   reads a frame in hex a line, sends each
#   frames.py hear INTERFACE   prints a line `listening`, then each frame that comes in, in hex, until it is ended
import socket
import sys

ETH_P_ALL = 3
SO_RCVBUFFORCE = 33
RECEIVE_BUFFER_BYTES = 16 << 20

way, interface = sys.argv[1:]
# Protocol 0: a sender needs no copy of what comes in.
s = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(ETH_P_ALL) if way == "hear" else 0)
if way == "hear":
    s.setsockopt(socket.SOL_SOCKET, SO_RCVBUFFORCE, RECEIVE_BUFFER_BYTES)
    # The kernel takes tags out of frames; with this it says what they were.
    s.setsockopt(263, 8, 1)
    s.bind((interface, ETH_P_ALL))
    print("listening", flush=True)
    while True:
        try:
            frame, ancillary, _, address = s.recvmsg(65536, 64)
        except OSError:
            sys.exit(0)  # The device is gone.
        if address[2] == socket.PACKET_OUTGOING:
            continue
        tag = b""
        for level, kind, data in ancillary:
            status = int.from_bytes(data[0:4], "little")
            if level == 263 and kind == 8 and status & 0x10:
                tci, tpid = int.from_bytes(data[16:18], "little"), int.from_bytes(data[18:20], "little")
                tag = (tpid if status & 0x40 else 0x8100).to_bytes(2, "big") + tci.to_bytes(2, "big")
        print((frame[:12] + tag + frame[12:]).hex(), flush=True)
else:
    s.bind((interface, 0))
    for line in sys.stdin:
        s.send(bytes.fromhex(line))
