#!/bin/sh
# slew catalog as a person calls it: formats, what is refused and why, progress, an end in the middle.
slew=${SLEW:-./slew}
t=$(mktemp -d) || exit 1
trap 'rm -rf "$t"' EXIT
n=0; bad=0
ok() { n=$((n + 1)); if [ "$1" = 0 ]; then echo "ok $n - $2"; else echo "not ok $n - $2"; sed 's/^/# /' "$t/err"; bad=1; fi; }
says() # exit pattern what command...: the exit code, and the pattern in what it says on standard error
{
	want=$1 pattern=$2 what=$3; shift 3
	"$@" > "$t/out" 2> "$t/err"; rc=$?
	[ $rc = "$want" ] && grep -Eq "$pattern" "$t/err"; ok $? "$what"
}

printf 'GLADE no,RA,Dec,d_L,d_L err,dist flag,z_cmb\n1,10,20,40,2,2,0.01\n2,11,20,50,,1,0.0113\n' > "$t/glade.csv"
printf '1 2 3\n4 5 6\n' > "$t/numbers"
printf 'name,colour\na,b\n' > "$t/words.csv"
printf '\211HDF\r\n\032\n' > "$t/x.hdf5"
head -c 70000 /dev/zero | tr '\0' 'x' > "$t/long"
mkdir "$t/folder"; mkfifo "$t/pipe"
printf 'ra,dec,dist,dist_err\n10,20,30,1e300\n11,20,30,3\n' > "$t/error.csv"
printf 'ra,dec,z,z_err\n10,20,0.01,40\n11,20,0.01,0.001\n' > "$t/z_err.csv"
printf 'ra,dec,dist,mstar\n10,20,30,1e40\n11,20,30,1e10\n' > "$t/mass.csv"
says 0 '1 rows with a photometric distance below 200 Mpc are left out' "a near photometric redshift is left out, and told" "$slew" catalog build "$t/glade.csv" -o "$t/a.fits"
says 0 '2 galaxies' "--photo-z-below 0 takes it" "$slew" catalog build "$t/glade.csv" --photo-z-below 0 -o "$t/b.fits"
says 1 'has not the columns objname.*looks like glade\+' "a format that does not fit says what fits" "$slew" catalog build "$t/glade.csv" --format ned-lvs -o "$t/c.fits"
says 2 'no format sdss; there are: glade\+ ned-lvs' "a format that there is not names those that there are" "$slew" catalog build "$t/glade.csv" --format sdss -o "$t/c.fits"
says 2 'give a distance in Mpc' "a distance that is none" "$slew" catalog build "$t/glade.csv" --photo-z-below near -o "$t/c.fits"
says 1 'no header line.*--format' "numbers without names say what to write" "$slew" catalog build "$t/numbers" -o "$t/c.fits"
says 1 'no column for right ascension.*--map ra=COLUMN; columns: name colour' "a table without positions lists its columns" "$slew" catalog build "$t/words.csv" -o "$t/c.fits"
says 1 'HDF5; write it as CSV or FITS' "HDF5 is named" "$slew" catalog build "$t/x.hdf5" -o "$t/c.fits"
says 1 'longer than' "one endless line is no table" "$slew" catalog build "$t/long" -o "$t/c.fits"
says 1 'empty or not a regular file' "a folder is no table" "$slew" catalog build "$t/folder" -o "$t/c.fits"
says 1 'No such file' "a file that is not there" "$slew" catalog build "$t/nothing.csv" -o "$t/c.fits"
says 1 'No such file' "a place that is not there" "$slew" catalog build "$t/glade.csv" -o "$t/nowhere/c.fits"
says 1 'a catalogue is a file' "a pipe is no place for a catalogue, and stays one" "$slew" catalog build "$t/glade.csv" -o "$t/pipe"
[ -p "$t/pipe" ] && [ ! -e "$t/c.fits" ]; ok $? "none of these left a file"
says 0 "line 2 left out: the distance's error is above 1e6 Mpc" "an error without bounds does not count as none" "$slew" catalog build "$t/error.csv" -o "$t/e.fits"
says 0 "line 2 left out: the redshift's error is above 20" "nor one of a redshift in km/s" "$slew" catalog build "$t/z_err.csv" -o "$t/e.fits"
"$slew" catalog build "$t/mass.csv" -o "$t/e.fits" > "$t/out" 2> "$t/err"; "$slew" rank --json --weight mass --catalog "$t/e.fits" --position 10.5,20,5 2> /dev/null | grep -c '"weight":1[0-9]*.*"weight_is_mean":true' > "$t/out"
[ "$(cat "$t/out")" = 1 ]; ok $? "a mass beyond all galaxies is none"

# Where catalogues are, and whether a download is whole.
"$slew" catalog get > "$t/out" 2> "$t/err"; [ "$(grep -c '^[a-z0-9+-]* .*; ' "$t/out")" = 7 ]; ok $? "get lists what is known"
"$slew" catalog get glade+ > "$t/out" 2> "$t/err"; grep -q 'curl .*GLADE+.txt' "$t/out" && grep -q 'arXiv:2110.06184' "$t/out"; ok $? "get says where, and the paper"
says 2 'no catalogue sloan is known' "a catalogue that is not known" "$slew" catalog get sloan
says 2 'get takes NAME' "get wants a file to verify" "$slew" catalog get glade+ --verify
{ echo 'Name;Type;RA;Dec;Const;B-Mag;RadVel;Redshift'
  awk 'BEGIN { for (i = 0; i < 13969; i++) printf "NGC%04d;%s;%02d:%02d:05.0;-23:23:02.0;Hya;13.45;2920;0.009787\n", i, i % 9 ? "G" : "**", i % 24, i % 60 }'; } > "$t/ngc.csv"
says 0 '1553 rows are no galaxies' "a whole file is verified" "$slew" catalog get openngc --verify "$t/ngc.csv"
grep -q '^verified' "$t/out" && grep -q "sha256 *$(sha256sum "$t/ngc.csv" | cut -d' ' -f1)" "$t/out"; ok $? "its digest is told"
head -c 500000 "$t/ngc.csv" > "$t/cut.csv"
says 1 'last line has no end.*cut off' "a download that was cut off" "$slew" catalog get openngc --verify "$t/cut.csv"
head -n 9000 "$t/ngc.csv" > "$t/part.csv"
says 1 'fewer rows than are published' "a piece of it" "$slew" catalog get openngc --verify "$t/part.csv"
says 1 'has not the columns GLADE no' "another catalogue" "$slew" catalog get glade+ --verify "$t/ngc.csv"
"$slew" catalog build "$t/ngc.csv" -o "$t/ngc.fits" > /dev/null 2>&1; "$slew" catalog info "$t/ngc.fits" > "$t/out" 2> "$t/err"
grep -q 'read as openngc' "$t/out" && grep -q 'frames .* CMB' "$t/out" && grep -q 'by rule' "$t/out"; ok $? "info tells format, frames and errors"
sed -n 's/^             //p' "$t/out" | tr -s ' \n' '  ' | grep -q 'absolute; bits 8-9 frame of the redshift: 0 not said, 1 heliocentric, 2 CMB, 3 CMB with peculiar velocity; bit 10 photometric redshift, 11 error by rule, 12 merged'; ok $? "its words are not cut"

# Two lists of one sky.
sed 's/;Hya;13.45;/;Hya;;/; s/^NGC/IC/' "$t/ngc.csv" > "$t/other.csv"
says 0 '12416 rows are galaxies of other files' "--merge tells how many" "$slew" catalog build --merge "$t/ngc.csv" "$t/other.csv" -o "$t/m.fits"
"$slew" catalog info "$t/m.fits" > "$t/out"; grep -q '^galaxies *12416, of them 12416 merged' "$t/out"; ok $? "and info knows it"

says 0 'finding the same galaxies' "--progress tells the stages" "$slew" catalog build --merge --progress "$t/ngc.csv" "$t/other.csv" -o "$t/m.fits"
grep -q '^finishing' "$t/err"; ok $? "to the last one"

# An end in the middle: a file without an end comes slowly through, the old catalogue stays, nothing lies beside it.
awk 'BEGIN { print "name,ra,dec,dist"; for (i = 0; i < 3000000; i++) print "g" i "," i % 360 "," i % 90 "," 1 + i % 900 }' > "$t/big.csv"
cp "$t/a.fits" "$t/big.fits"
ls "$t" > "$t/../slew-before.$$"
"$slew" catalog build "$t/big.csv" --progress -o "$t/big.fits" > "$t/out" 2> "$t/err" & pid=$!
sleep 0.3; kill -INT $pid; wait $pid; rc=$?
[ $rc = 3 ] && grep -q 'ended as asked; nothing was written' "$t/err"; ok $? "interrupted: it says so"
cmp -s "$t/a.fits" "$t/big.fits" && ls "$t" | cmp -s - "$t/../slew-before.$$"; ok $? "interrupted: the old catalogue is whole, no part lies beside it"
rm -f "$t/../slew-before.$$"
echo "1..$n"
exit $bad
