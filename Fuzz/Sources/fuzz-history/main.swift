import FuzzDriver
import FuzzLaws

FuzzDriver.run(.history)
