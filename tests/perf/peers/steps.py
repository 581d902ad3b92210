"""What all peers print: `NAME_ms VALUE` for each step, `version PACKAGE VERSION`, and what is compared with ours."""
import time
from importlib.metadata import version


class Steps:
	def __init__(self):
		self.last = time.perf_counter()
		self.ms = {}

	def done(self, name):
		now = time.perf_counter()
		self.ms[name] = (now - self.last) * 1e3
		self.last = now

	def tell(self, packages, **figures):
		for name, ms in self.ms.items():
			print(f"{name}_ms {ms:.3f}")
		for package in packages:
			print("version", package, version(package))
		for name, value in figures.items():
			print(name, value)
