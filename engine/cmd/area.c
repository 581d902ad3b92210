/* slew area MAP: 50 and 90 % areas, distance, best position: the summary a person wants first. */
#include "engine/base/json.h"
#include "engine/cmd/cmd.h"
#include "engine/cmd/mapfile.h"
#include "engine/cmd/mocfile.h"
#include "engine/target/region.h"
#include "engine/target/supernova.h"
#include "engine/target/volume.h"
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *const orderings[] = {"NUNIQ", "NESTED", "RING"};

/* Volumes that hold 50 and 90 %, NaN where there are none. */
struct volumes {
	double v50_mpc3, v90_mpc3;
};

static int volumes_of(const struct skymap *m, struct volumes *out, struct err *e)
{
	struct volume v;
	*out = (struct volumes){NAN, NAN};
	if (m->norm == NULL)
		return 0;
	if (volume_open(&v, m, e) < 0)
		return -1;
	*out = (struct volumes){volume_credible(&v, 0.5), volume_credible(&v, 0.9)};
	volume_close(&v);
	return 0;
}

static int area_json(const struct skymap *m, const struct region *r, const struct volumes *v)
{
	return cmd_print_object(json_pack("{s:o s:o s:o s:o s:o s:o s:o s:s s:i s:I s:o s:o}", "area50_deg2", json_real_or_null(r->area50_deg2),
		"area90_deg2", json_real_or_null(r->area90_deg2), "ra_deg", json_real_or_null(r->ra_deg), "dec_deg", json_real_or_null(r->dec_deg),
		"distmean_mpc", json_real_or_null(r->distmean_mpc), "diststd_mpc", json_real_or_null(r->diststd_mpc), "distmod_mag",
		json_real_or_null(r->distmod_mag), "ordering", orderings[m->ordering], "max_order", m->order_max, "pixels", (json_int_t)m->cells,
		"volume50_mpc3", json_real_or_null(v->v50_mpc3), "volume90_mpc3", json_real_or_null(v->v90_mpc3)));
}

static void volume_text(const char *what, double mpc3)
{
	if (isfinite(mpc3))
		printf("%s      %.4g Mpc³\n", what, mpc3);
	else
		printf("%s      not reached: too much of the map has no distance\n", what);
}

static void area_text(const struct skymap *m, const struct region *r, const struct volumes *v)
{
	printf("object           %s\n", m->object[0] ? m->object : "(not named)");
	printf("50 %% area        %.6g deg²\n90 %% area        %.6g deg²\n", r->area50_deg2, r->area90_deg2);
	printf("best position    RA %.5f°  Dec %+.5f°  (ICRS; galactic latitude %+.1f°)\n", r->ra_deg, r->dec_deg, r->gal_b_deg);
	if (m->norm != NULL) {
		volume_text("50 % volume", v->v50_mpc3);
		volume_text("90 % volume", v->v90_mpc3);
	}
	if (isfinite(r->distmean_mpc))
		printf("distance         %.1f ± %.1f Mpc (luminosity distance; modulus %.2f mag)\n", r->distmean_mpc, r->diststd_mpc,
			r->distmod_mag);
	else
		printf("distance         unknown: the map is 2-D\n");
	printf("map              %s, %lld pixels, finest nside %lld%s\n", m->ordering == SKYMAP_NUNIQ ? "multi-order" :
		m->ordering == SKYMAP_NESTED ? "flat, NESTED" : "flat, RING", (long long)m->pixels, 1LL << m->order_max,
		m->mu ? ", 3-D" : ", 2-D");
	if (fabs(r->probability - 1) > 1e-4)
		printf("note             the map's probabilities add up to %.6f; areas are not renormalised\n", r->probability);
}

/* What a search will find there besides. */
static void supernovae_text(const struct region *r, const struct volumes *v)
{
	double expected = supernova_expected(v->v90_mpc3, r->distmean_mpc, SUPERNOVA_YOUNG_D);
	if (isfinite(expected))
		printf("supernovae       %.3g unrelated ones younger than %.0f d are expected in the 90 %% volume (Perley et al. 2020)\n", expected,
			SUPERNOVA_YOUNG_D);
}

static int area_moc(const struct skymap *m, double level, const char *path)
{
	struct moc region;
	struct err e = {0};
	if (region_moc(m, level, &region, &e) < 0)
		return err_print(&e);
	int rc = cmd_write_moc(path, &region, m->object);
	moc_free(&region);
	return rc;
}

static int area_run(int argc, char **argv)
{
	const char *path = NULL, *moc = NULL, *wanted = "0.9";
	char *end;
	int json = 0;
	for (int i = 1; i < argc; i++) {
		if (strcmp(argv[i], "--json") == 0)
			json = 1;
		else if (strcmp(argv[i], "--moc") == 0 && i + 1 < argc)
			moc = argv[++i];
		else if (strcmp(argv[i], "--level") == 0 && i + 1 < argc)
			wanted = argv[++i];
		else if (argv[i][0] == '-' && argv[i][1] != '\0')
			return cmd_usage(&command_area, "unknown option %s", argv[i]);
		else if (path != NULL)
			return cmd_usage(&command_area, "one MAP at a time (got %s and %s)", path, argv[i]);
		else
			path = argv[i];
	}
	if (path == NULL)
		return cmd_usage(&command_area, "no MAP given");
	double level = strtod(wanted, &end);
	if (end == wanted || *end != '\0' || !(level > 0 && level <= 1))
		return cmd_usage(&command_area, "--level wants a number above 0 and at most 1, not %s", wanted);
	struct skymap m;
	struct region r;
	struct volumes v;
	struct err e = {0};
	int rc = cmd_read_map(path, &m);
	if (rc != 0)
		return rc;
	if (region_of(&m, &r, &e) < 0 || volumes_of(&m, &v, &e) < 0)
		rc = err_print(&e);
	else if (json)
		rc = area_json(&m, &r, &v);
	else {
		area_text(&m, &r, &v);
		supernovae_text(&r, &v);
	}
	if (rc == 0 && moc != NULL)
		rc = area_moc(&m, level, moc);
	skymap_free(&m);
	return rc;
}

const struct command command_area = {
	.name = "area",
	.args = "[--json] [--moc OUT [--level P]] MAP",
	.summary = "50 and 90 % areas and volumes, distance and best position of a sky map",
	.help =
		"MAP is a HEALPix sky map in FITS, plain or gzip: multi-order (UNIQ, PROBDENSITY), or flat (PROB or PROBABILITY,\n"
		"NESTED or RING), with or without distances; or an alert (JSON) that carries one; - reads standard input.\n"
		"\n"
		"  --json   one JSON object: area50_deg2 area90_deg2 ra_deg dec_deg distmean_mpc diststd_mpc distmod_mag ordering\n"
		"           (NUNIQ, NESTED, RING) max_order pixels volume50_mpc3 volume90_mpc3; what is unknown is null\n"
		"  --moc OUT   writes the credible region as a coverage map (IVOA MOC 2.0): FITS, or by its name .json or .txt\n"
		"  --level P   of that region: 0.9\n"
		"\n"
		"An area is the smallest that holds 50 or 90 % of the probability: pixels are taken by falling density and the last\n"
		"one in part (linear in cumulative probability and area, as ligo.skymap and the LVK circulars do); the map is not\n"
		"renormalised. A volume is the smallest that holds so much of it: places of largest dP/dV first, in Mpc^3 of luminosity\n"
		"distance (no cosmology), the shell of each pixel in closed form; null for a map without distances. The best position is\n"
		"the centre of the pixel of highest density, ICRS degrees. Distance: DISTMEAN and DISTSTD of the header, else the moments\n"
		"of the map; the distance of a pixel (DISTMU) is not one.\n"
		"Coverage maps (MOC) without probabilities, other HEALPix maps, images and web pages are refused with the reason.\n"
		"\n"
		"  slew area bayestar.multiorder.fits\n"
		"  slew area --json alert.json | jq .area90_deg2\n"
		"  slew area --moc region.fits --level 0.5 bayestar.multiorder.fits\n",
	.run = area_run,
};
