import FuzzDriver
import FuzzLaws

FuzzDriver.run(.canary)
