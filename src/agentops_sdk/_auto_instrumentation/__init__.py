"""Recording in a program that has no line of ours: how ``agentops run`` starts it, and what begins inside of it.

The program is started as it would be without us, by ``exec``; all that is added is a folder at the head of
``PYTHONPATH``, in which Python finds a ``sitecustomize``. Whatever the program starts in its turn inherits it:
reloaders, workers, processes that are spawned.
"""
