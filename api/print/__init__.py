"""Paper: documents as PDF/UA, typeset from templates by typst."""
