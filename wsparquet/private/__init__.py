"""The private APIs of other libraries that wsparquet uses: one module for each library, and no other place.

Each module says which versions of its library were tried. A new version of a library can only break its module here.
"""
