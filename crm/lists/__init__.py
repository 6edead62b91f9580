"""Lists of records. Who belongs to a filtered one follows from its conditions, a static one is filled by hand.

`making` makes, changes and deletes them, `processing` fills them in the background, `following` keeps them right when
records change, `adding` puts records in and takes them out by hand. All of them change the rows through `rows`, one
transaction at a time in an account. `seeing` is what a member may see of them.
"""
