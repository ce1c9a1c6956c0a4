"""Names of the columns in other catalogues: VizieR, GaiaXPy, SDSS, 2MASS, WISE, PanSTARRS."""

__all__ = ["ALIASES", "CASE_MATTERS", "COEFFICIENT_NAMES"]

ALIASES: dict[str, tuple[str, ...]] = {
    # VizieR's Gaia tables (I/355), as it writes names and as astroquery returns them.
    "source_id": ("Source", "gaia_source_id", "dr3_source_id", "DR3Name"),
    "phot_g_mean_mag": ("Gmag",),
    "phot_bp_mean_mag": ("BPmag",),
    "phot_rp_mean_mag": ("RPmag",),
    "phot_g_mean_mag_error": ("e_Gmag",),
    "phot_bp_mean_mag_error": ("e_BPmag",),
    "phot_rp_mean_mag_error": ("e_RPmag",),
    "parallax": ("Plx",),
    "parallax_error": ("e_Plx",),
    "pmra_error": ("e_pmRA",),
    "pmdec": ("pmDE",),
    "pmdec_error": ("e_pmDE",),
    "ebv": ("E(B-V)", "E_B-V_"),
    # Labels, as VizieR's tables write them.
    "teff_err": ("e_Teff", "teff_error"),
    "logg": ("log(g)", "log_g"),
    "logg_err": ("e_logg", "e_log(g)", "logg_error"),
    "fe_h": ("[Fe/H]", "__Fe_H_", "_Fe_H_", "feh"),
    "fe_h_err": ("e_[Fe/H]", "e__Fe_H_", "e_feh", "fe_h_error"),
    "m_h": ("[M/H]", "__M_H_", "_M_H_"),
    "m_h_err": ("e_[M/H]", "e__M_H_", "m_h_error"),
    "alpha_m": ("[a/M]", "[alpha/M]", "__a_M_", "__alpha_M_"),
    "alpha_fe": ("[a/Fe]", "[alpha/Fe]", "__a_Fe_", "__alpha_Fe_"),
    # 2MASS: VizieR (II/246) and IRSA.
    "j_m": ("Jmag", "j_mag"),
    "h_m": ("Hmag", "h_mag"),
    "ks_m": ("Kmag", "Ksmag", "k_m", "ks_mag"),
    "j_msigcom": ("e_Jmag",),
    "h_msigcom": ("e_Hmag",),
    "ks_msigcom": ("e_Kmag", "e_Ksmag", "k_msigcom"),
    # WISE: CatWISE (VizieR II/365 and IRSA), then AllWISE (II/328), which is little different.
    "catwise_w1": ("W1mproPM", "w1mpro_pm", "W1mag", "w1mpro"),
    "catwise_w2": ("W2mproPM", "w2mpro_pm", "W2mag", "w2mpro"),
    # SDSS (VizieR V/147 and V/154), PanSTARRS (MAST and VizieR II/349), SkyMapper (II/379).
    # What VizieR calls gmag may be of any of them.
    **{f"psfmag_{b}": (f"{b}pmag", f"{b}mag") for b in "ugriz"},
    **{f"psfmagerr_{b}": (f"e_{b}pmag", f"e_{b}mag") for b in "ugriz"},
    **{f"{b}_mean_psf_mag": (f"{b}MeanPSFMag", f"{b}mag") for b in "grizy"},
    **{f"{b}_mean_psf_mag_error": (f"{b}MeanPSFMagErr", f"e_{b}mag") for b in "grizy"},
    **{f"{b}_psf": (f"{b}PSF", f"{b}mag") for b in "uvgriz"},
    **{f"e_{b}_psf": (f"e_{b}PSF", f"e_{b}mag") for b in "uvgriz"},
}
"""Other names of a column or label, by ours. Of several in one table the first is taken."""

CASE_MATTERS = frozenset({"Source"})
"""Aliases that mean another thing in another case: ``source`` is often a survey's name."""

COEFFICIENT_NAMES = r"{band}_(?:(?:coeff|coef|coefficient)s?_)?"
"""Pattern of what stands before the number in the name of one XP coefficient, such as GaiaXPy's.

Numbers that begin with 0 count from there, ours from 1.
"""
