/* The table of published catalogues (catalog_format.h). Columns and flags are those of each catalogue's own description. */
#include "engine/target/catalog_format.h"
#include <ctype.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

/* GLADE+, 40 columns: Dálya et al. 2022, table of columns. dist flag: 0 none, 1 photometric, 2 measured distance, 3 spectroscopic redshift.
 * z flag: 1 when z_cmb and d_L are corrected for the peculiar velocity, v_err is then its error. */
#define GLADE_PLUS "GLADE no,PGC no,GWGC name,HyperLEDA name,2MASS name,WISExSCOS name,SDSS-DR16Q name,Object type flag,RA,Dec," \
	"B,B_err,B flag,B_Abs,J,J_err,H,H_err,K,K_err,W1,W1_err,W2,W2_err,W1 flag,B_J,B_J err,z_helio,z_cmb,z flag,v_err,z_err,d_L,d_L err," \
	"dist flag,M*,M*_err,M* flag,Merger rate,Merger rate error"

static const struct catalog_format formats[] = {
	{.name = "glade+", .title = "GLADE+, 22.5 million galaxies and quasars", .paper = "Dalya et al. 2022, MNRAS 514, 1403 (arXiv:2110.06184)",
		.licence = "free for research, cite the paper", .url = "https://glade.elte.hu/GLADE+.txt",
		.command = "curl -fL -C - -o GLADE+.txt https://glade.elte.hu/GLADE+.txt", .rows = 22500000, .size = "about 6 GB",
		.header = GLADE_PLUS, .separator = ' ', .marks = "GLADE no,dist flag,d_L",
		.columns = "id=GLADE no;name=GWGC name,HyperLEDA name,2MASS name,WISExSCOS name,SDSS-DR16Q name;ra=RA;dec=Dec;dist=d_L;dist_err=d_L err;"
			"z=z_cmb,z_helio;z_err=z_err;v_err=v_err;z_flow=z flag;kind=dist flag;b_mag=B;b_abs=B_Abs;mass=M*",
		.frame = CATALOG_FRAME_CMB, .kind = CATALOG_DIST_GIVEN, .dist_by_z = true, .silent_flow = true},
	{.name = "ned-lvs", .title = "NED Local Volume Sample, about 2 million objects to 1000 Mpc", .paper = "Cook et al. 2023, ApJS 268, 14 (arXiv:2306.06271)",
		.licence = "free, cite the paper and NED", .url = "https://ned.ipac.caltech.edu/NED::LVS/",
		.command = "curl -fL -C - -o NEDLVS.fits https://ned.ipac.caltech.edu/NED::LVS/fits/AsPublished/", .size = "about 1 GB",
		.marks = "objname,DistMpc,DistMpc_method,z_tech",
		.columns = "name=objname;ra=ra;dec=dec;dist=DistMpc;dist_err=DistMpc_unc;z=z;z_err=z_unc;kind=DistMpc_method;z_kind=z_tech;mass=Mstar",
		.frame = CATALOG_FRAME_HELIO, .kind = CATALOG_DIST_GIVEN, .silent_flow = true},
	{.name = "2mrs", .title = "2MASS Redshift Survey, K < 11.75, 44599 galaxies", .paper = "Huchra et al. 2012, ApJS 199, 26 (arXiv:1108.0669)",
		.licence = "free, cite the paper", .url = "http://tdc-www.harvard.edu/2mrs/",
		.command = "curl -fL -O http://tdc-www.harvard.edu/2mrs/2mrs_v240.tgz && tar xzf 2mrs_v240.tgz   # catalog/2mrs_1175_done.dat", .rows = 44599,
		.size = "37.7 MB packed", .marks = "ID,RAdeg,DECdeg,v,CAT_ID",
		.columns = "name=CAT_ID,ID;ra=RAdeg;dec=DECdeg;z=v;z_err=e_v", .frame = CATALOG_FRAME_HELIO, .kind = CATALOG_DIST_SPEC},
	{.name = "ned-list", .title = "List of objects as NED writes it (bars; for example 2MRS by name)", .paper = "NED, doi:10.26132/NED1", .licence = "free, cite NED",
		.url = "https://ned.ipac.caltech.edu/", .command = "", .size = "as asked for", .separator = '|',
		.header = "number,input,offset,name,ra,dec,type,z,notes", .marks = "input,offset,name,notes",
		.columns = "name=name;ra=ra;dec=dec;z=z;type=type", .keep = "G,GPair,GTrpl,GGroup,QSO", .frame = CATALOG_FRAME_HELIO, .kind = CATALOG_DIST_SPEC},
	{.name = "50mgc", .title = "50 Mpc Galaxy Catalog, 15424 galaxies", .paper = "Ohlson et al. 2024, AJ 167, 31 (arXiv:2311.05690)",
		.licence = "free, cite the paper", .url = "https://github.com/davidohlson/50MGC",
		.command = "curl -fL -O https://github.com/davidohlson/50MGC/raw/main/data/catalog_short.fits", .rows = 15424, .size = "2.5 MB (the short table)",
		.marks = "objname,bestdist,v_h",
		.columns = "id=pgc;name=objname;ra=ra;dec=dec;dist=bestdist;dist_err=bestdist_error;kind=bestdist_method;z=v_h;b_abs=BMag;log_mass=logmass",
		.frame = CATALOG_FRAME_HELIO, .kind = CATALOG_DIST_GIVEN, .method_measured = true},
	{.name = "openngc", .title = "OpenNGC, 13969 objects of the NGC and IC", .paper = "Verga, https://github.com/mattiaverga/OpenNGC",
		.licence = "CC-BY-SA 4.0", .url = "https://github.com/mattiaverga/OpenNGC",
		.command = "curl -fL -O https://raw.githubusercontent.com/mattiaverga/OpenNGC/master/database_files/NGC.csv", .rows = 13969, .size = "about 4 MB",
		.marks = "Name,Type,Const,RadVel,Redshift", .columns = "name=Name;ra=RA;dec=Dec;b_mag=B-Mag;z=Redshift,RadVel;type=Type",
		.keep = "G,GPair,GTrpl,GGroup", .frame = CATALOG_FRAME_HELIO, .kind = CATALOG_DIST_SPEC},
	{.name = "desi", .title = "DESI redshifts (zcatalog of a data release; FITS, or columns of it as CSV)", .paper = "DESI Collaboration 2025 (arXiv:2503.14745)",
		.licence = "CC-BY 4.0", .url = "https://data.desi.lbl.gov/public/dr1/spectro/redux/iron/zcatalog/v1/",
		.command = "curl -fL -C - -O https://data.desi.lbl.gov/public/dr1/spectro/redux/iron/zcatalog/v1/zall-pix-iron.fits", .size = "tens of GB",
		.marks = "TARGETID,Z,ZERR,ZWARN,SPECTYPE",
		.columns = "id=TARGETID;ra=TARGET_RA,RA;dec=TARGET_DEC,DEC;z=Z;z_err=ZERR;quality=ZWARN;type=SPECTYPE", .keep = "GALAXY",
		.frame = CATALOG_FRAME_HELIO, .kind = CATALOG_DIST_SPEC},
};
#define KNOWN ((int)(sizeof formats / sizeof formats[0]))

const struct catalog_format *catalog_format_at(int i)
{
	return i >= 0 && i < KNOWN ? &formats[i] : NULL;
}

const struct catalog_format *catalog_format_named(const char *name)
{
	for (int i = 0; i < KNOWN; i++)
		if (strcasecmp(formats[i].name, name) == 0)
			return &formats[i];
	return NULL;
}

void catalog_name_plain(char out[64], const char *name)
{
	size_t o = 0;
	for (; *name && o + 1 < 64; name++)
		if (isalnum((unsigned char)*name) || *name == '*')
			out[o++] = (char)tolower((unsigned char)*name);
	out[o] = '\0';
}

bool catalog_word_in(const char *words, const char *text, size_t len)
{
	while (len > 0 && isspace((unsigned char)text[len - 1]))
		len--;
	for (; len > 0 && isspace((unsigned char)*text); len--)
		text++;
	for (const char *w = words; *w;) {
		size_t n = strcspn(w, ",");
		if (n == len && strncasecmp(w, text, n) == 0)
			return true;
		w += n + (w[n] == ',');
	}
	return false;
}

static bool has_all(const char *marks, const char *const *names, int n)
{
	char wanted[64], plain[64], word[64];
	for (const char *w = marks; *w;) {
		size_t len = strcspn(w, ",");
		snprintf(word, sizeof word, "%.*s", (int)len, w);
		catalog_name_plain(wanted, word);
		bool found = false;
		for (int i = 0; i < n && !found; i++) {
			catalog_name_plain(plain, names[i]);
			found = strcmp(plain, wanted) == 0;
		}
		if (!found)
			return false;
		w += len + (w[len] == ',');
	}
	return true;
}

const struct catalog_format *catalog_format_by_names(const char *const *names, int n)
{
	for (int i = 0; i < KNOWN; i++)
		if (has_all(formats[i].marks, names, n))
			return &formats[i];
	return NULL;
}

const struct catalog_format *catalog_format_by_row(const char *const *cells, int n, char separator)
{
	if (separator == ' ' && n == 40 && (strcmp(cells[7], "G") == 0 || strcmp(cells[7], "Q") == 0))
		return catalog_format_named("glade+");
	if (separator == '|' && n == 9 && strchr(cells[4], 'h') != NULL && strchr(cells[5], 'd') != NULL && strchr(cells[5], 'm') != NULL)
		return catalog_format_named("ned-list");
	return NULL;
}
