"""Ray: starting or joining a cluster, its hosts and slots, and what happens when it dies.

``ray_cluster`` connects; ``slots`` counts how many trials can run at once; ``shared_storage``
checks that every host can reach the study; ``head_watch`` and ``exit_message`` end a search with
one line when the head, or the search itself, dies; ``ray_compat`` holds everything that relies on
Ray's internals.
"""
