import time
import flowy

def sum_activity(a, b):
    time.sleep(1)
    return a + b

def square_activity(n):
    time.sleep(1)
    return n ** 2

class ExampleWorkflow(object):
    def __init__(self, square, sum):
        self.square = square
        self.sum = sum
    def __call__(self, a, b):
        a_squared = self.square(a)          # these two run
        b_squared = self.square(b)          # side by side
        return self.sum(a_squared, b_squared)

w = flowy.LocalWorkflow(ExampleWorkflow)
w.conf_activity('square', square_activity)
w.conf_activity('sum', sum_activity)
print(w.run(2, 10))                         # 104, after 2 seconds, not 3
