#!/bin/sh
# Each planted bug can still be planted: who changes the lines it stands in writes it anew (make planted shows that it is found).
exec tests/planted/planted.sh --applies
