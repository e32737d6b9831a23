"""Activities on a Dask cluster: any executor of `concurrent.futures` will do, and Dask has one.

    python dask_executor.py

Here the cluster is two worker processes of this machine, so that the example runs anywhere. For
more machines, give `Client` the address of your scheduler: `Client("tcp://scheduler:8786")`. The
workers need Flowy and the activities to be importable; the workflow itself runs here.
"""

import itertools
import os

import flowy


def squares(start, stop):
    """Add up the squares of a range, and tell which process did it."""
    return {"sum": sum(n * n for n in range(start, stop)), "processes": [os.getpid()]}


def join(one, other):
    processes = sorted({*one["processes"], *other["processes"]})
    return {"sum": one["sum"] + other["sum"], "processes": processes}


class SumOfSquares:
    def __init__(self, squares, join):
        self.squares = squares
        self.join = join

    def __call__(self, stop, parts):
        bounds = [stop * part // parts for part in range(parts + 1)]
        sums = [self.squares(*ends) for ends in itertools.pairwise(bounds)]
        return flowy.parallel_reduce(self.join, sums)


def main():
    from dask.distributed import Client, LocalCluster

    with (
        LocalCluster(n_workers=2, threads_per_worker=1, dashboard_address=":0") as cluster,
        Client(cluster) as client,
    ):
        # An activity may do something else each time it runs, so Dask must not take its result for
        # that of another call with the same arguments: that is what `pure` is about.
        executor = client.get_executor(pure=False)
        workflow = flowy.LocalWorkflow(SumOfSquares, activity_workers=4, executor=executor)
        workflow.conf_activity("squares", squares)
        workflow.conf_activity("join", join)
        result = workflow.run(100_000, parts=16)
    print(result["sum"])
    print("none of it was done here:", os.getpid() not in result["processes"])


# Worker processes import this file, and must not start a cluster of their own.
if __name__ == "__main__":
    main()
